#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/options.hpp"
#include "replay/matching/match_key.hpp"
#include "replay/matching/near_miss.hpp"
#include "replay/serving/eligibility.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// All recordings that share a match key, in the order of winning takes. Opaque to callers; the address is stable, so
// it may be remembered (a memo from raw request bytes to the recordings that answer it).
struct KeyedRecordings;

// A hit: which exchange answers. `only_choice` says that a request with this key and these conditions always gets this
// exchange, in every session, and that no cursor moves: it may be served from memory without asking again. It holds
// until add() gives that very key another recording, and is not said of keys that got one.
struct Hit {
  std::int64_t exchange_id = 0;
  bool only_choice = false;
  // Where uses are counted, for hits served from memory. Lives as long as the library.
  std::atomic<std::uint32_t>* uses = nullptr;
};

// Below this number of exchanges an index is built sooner than a file of it pays: it takes some 7 µs for each
// (./dev bench --rows big).
inline constexpr std::uint64_t index_file_exchanges_min = 5'000;

// Where an index file is kept, and who is told what about it.
struct IndexSettings {
  std::filesystem::path folder;  // empty: none
  std::uint64_t file_exchanges_min = index_file_exchanges_min;
  // While an index is built from the cassette; both counts are of exchanges.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  // One line for people, of what was done.
  std::function<void(const std::string&)> on_note;
  // The same, when a file turns out to be damaged; from any thread that asks the library.
  std::function<void(const std::string&)> on_damage;
};

// The recordings of a cassette by match key, and where each session stands in them. Built once from a reader; the index
// is immutable, cursors are sharded behind locks and made only for keys with two recordings or more. Thread-safe.
// Take precedence is decision 10 (take_precedence.hpp): what a session recorded is what it is given, by the newest take
// that has the key; a session that recorded nothing for it is given what `default` recorded, then what any other did,
// newest first. Recordings cut by the client are served only when no whole one exists.
class ReplayLibrary {
 public:
  // Reads every exchange's request (no response bodies), into memory. Fails as the reader does.
  static Result<std::unique_ptr<ReplayLibrary>> build(CassetteReader& reader, const MatchKeyMaker& keys,
                                                      SequencePolicy sequence);
  // The same, with an index file: used when it is there and fresh, else made for the next start. That no file can be
  // used or written is no failure.
  static Result<std::unique_ptr<ReplayLibrary>> open(CassetteReader& reader, const MatchKeyMaker& keys,
                                                     SequencePolicy sequence, const IndexSettings& settings);
  // From values.
  static std::unique_ptr<ReplayLibrary> of(const std::vector<Take>& takes, const std::vector<StoredExchange>& exchanges,
                                           const MatchKeyMaker& keys, SequencePolicy sequence);
  ~ReplayLibrary();

  std::uint64_t exchange_count() const;
  std::vector<std::string> origins() const;  // Origin::text() of each, sorted
  std::int64_t newest_recorded_at_us() const;

  // nullptr when no recording has that key.
  const KeyedRecordings* find(const MatchKey& key) const;
  // The next recording for that session; counts its use. A miss is `exhausted` (policy error), or `differs` when no
  // recording is eligible.
  std::variant<Hit, MissReason> next(const KeyedRecordings& recordings, std::string_view session,
                                     const RequestConditions& conditions);
  // Explains why `key` has no answer. Slow path: may compare with many recordings.
  MissReport explain_miss(const MatchKey& key, std::string_view request_line) const;

  // auto: a newly recorded exchange becomes an answer for later requests of this run. Its own session has had it: what
  // was live once counts as served. One that was cut short answers nothing.
  void add(const MatchKey& key, const StoredExchange& stored);
  // How often add() has added something: who remembers an `only_choice` asks whether this is still what it was before
  // next() was asked.
  std::uint64_t additions() const;

  struct Unused {
    std::int64_t exchange_id;
    std::string request_line;
  };
  // Recordings of winning takes that were never served, in recorded order. Token requests are left out.
  std::vector<Unused> unused() const;

 private:
  struct State;
  explicit ReplayLibrary(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
