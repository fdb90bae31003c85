#pragma once

#include <cstdint>

#include "replay/matching/match_key.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// How the exchanges of the newest take stand to the takes before it: no such key before, another answer, or the same
// one (status and body after redaction; the n-th answer to a key is compared with the n-th of the take before).
struct TakeChanges {
  std::uint64_t added = 0;
  std::uint64_t changed = 0;
  std::uint64_t same = 0;
};

Result<TakeChanges> compare_last_take(CassetteReader& reader, const MatchKeyMaker& keys);

}  // namespace tapedeck
