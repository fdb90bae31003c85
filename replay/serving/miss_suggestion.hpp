#pragma once

#include <string>

#include "replay/matching/near_miss.hpp"

namespace tapedeck {

// The mend for a report whose reason and nearest recordings are known: rules that leave out what differs, in the words
// of a profile, or the command that records what is missing.
std::string suggestion_for(const MissReport& report);

}  // namespace tapedeck
