#pragma once

#include <string_view>

#include "config/options.hpp"
#include "replay/matching/near_miss.hpp"
#include "replay/serving/recording_index.hpp"

namespace tapedeck {

// Says why `key` has no answer in `index`, what is nearest, and what would mend it. Bounded: a cassette of any size is
// narrowed to the candidates that share most with the key before anything is compared field by field.
MissReport explain_miss(const RecordingIndex& index, SequencePolicy policy, const MatchKey& key,
                        std::string_view request_line);

}  // namespace tapedeck
