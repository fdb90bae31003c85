#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/options.hpp"
#include "replay/matching/match_key.hpp"
#include "replay/matching/near_miss.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// What the eligibility filter looks at beside the key (decision 11): 304 and 412 answer only conditional requests, 206
// only Range, and a recording whose media type Accept allows, and whose coding Accept-Encoding allows, goes first.
struct RequestConditions {
  bool conditional = false;  // If-None-Match, If-Modified-Since, If-Match, If-Unmodified-Since
  bool range = false;
  std::string accept;
  std::string accept_encoding;
};
RequestConditions conditions_of(const Headers& request_headers);

// All recordings that share a match key, in the order of winning takes. Opaque to callers; the address is stable, so
// it may be remembered (a memo from raw request bytes to the recordings that answer it).
struct KeyedRecordings;

// A hit: which exchange answers. `only_choice` says that this request will always get this exchange (one eligible
// recording, policy other than error), so that no cursor moves.
struct Hit {
  std::int64_t exchange_id = 0;
  bool only_choice = false;
};

// The recordings of a cassette by match key, and where each session stands in them. Built once from a reader; the index
// is immutable, cursors are sharded behind locks and made only for keys with two recordings or more. Thread-safe.
// Take precedence is decision 10: a complete replace take wins key by key over older ones; an extend take continues
// the sequences of its parent; an interrupted take answers only keys that no complete take has. Own session first,
// then `default`, then any other, newest first. Recordings cut by the client are served only when no whole one exists.
class ReplayLibrary {
 public:
  // Reads every exchange's request (no response bodies). Fails as the reader does.
  static Result<std::unique_ptr<ReplayLibrary>> build(CassetteReader& reader, const MatchKeyMaker& keys,
                                                      SequencePolicy sequence);
  ~ReplayLibrary();

  std::uint64_t exchange_count() const;
  std::vector<std::string> origins() const;  // Origin::text() of each, sorted
  std::int64_t newest_recorded_at_us() const;

  // nullptr when no recording has that key.
  const KeyedRecordings* find(const MatchKey& key) const;
  // The next recording for that session; counts its use. A miss here is `exhausted` (policy error) or none eligible.
  std::variant<Hit, MissReason> next(const KeyedRecordings& recordings, std::string_view session,
                                     const RequestConditions& conditions);
  // Explains why `key` has no answer. Slow path: may compare with many recordings.
  MissReport explain_miss(const MatchKey& key, std::string_view request_line) const;

  // auto: a newly recorded exchange becomes an answer for later requests of this run.
  void add(const MatchKey& key, const StoredExchange& stored);

  struct Unused {
    std::int64_t exchange_id;
    std::string request_line;
  };
  // Recordings of winning takes that were never served. `is_token_request` ones are left out.
  std::vector<Unused> unused() const;

 private:
  struct State;
  explicit ReplayLibrary(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
