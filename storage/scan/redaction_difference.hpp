#pragma once

#include <string_view>
#include <vector>

#include "storage/scan/finding.hpp"

namespace tapedeck {

// What redaction would replace in `kept`, which it would make `redacted` of. The rules' names are not known here.
std::vector<SuspectSpan> redaction_difference(std::string_view kept, std::string_view redacted);

}  // namespace tapedeck
