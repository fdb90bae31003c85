#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// How the takes of a cassette hang together: an extend take belongs to the chain of the take it extends, and so on up
// to the root, whose ordinal says how new the chain is.
class TakeLineage {
 public:
  explicit TakeLineage(std::span<const Take> takes);

  std::int64_t root_of(std::int64_t ordinal) const;
  bool is_complete(std::int64_t ordinal) const;  // a take that is not listed is not

 private:
  struct Facts {
    std::int64_t root = 0;
    bool complete = false;
  };
  std::map<std::int64_t, Facts> facts_;
};

// One recording of the key at hand. `partial`: its response is not whole because the client left or a recording was
// broken off, not because the upstream failed.
struct PrecedenceRow {
  std::int64_t take_ordinal = 0;
  std::string_view session;
  std::uint64_t finished_number = 0;
  bool partial = false;
};

// The recordings (as indexes of rows) that a session left, in the order in which they are served.
struct SessionSequence {
  std::string_view session;
  std::vector<std::size_t> rows;
};

// Decision 10 for one key. Whole recordings go before partial ones and complete takes before others, whatever the
// session. What is left is kept apart by session, and in each the newest chain wins, in recorded order. The sessions
// come newest first; whoever asks takes its own, then `default`, then the first of the others.
std::vector<SessionSequence> serving_order(const TakeLineage& lineage, std::span<const PrecedenceRow> rows);

}  // namespace tapedeck
