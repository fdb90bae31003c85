#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replay/matching/match_key.hpp"
#include "replay/serving/eligibility.hpp"
#include "replay/serving/take_precedence.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

struct KeyedRecordings;

// What the index keeps of one exchange. Immutable once it can be found, but for the count of its uses.
struct Recording {
  std::int64_t exchange_id = 0;
  std::int64_t take_ordinal = 0;
  std::int64_t recorded_at_us = 0;
  std::uint64_t finished_number = 0;
  int status = 0;        // 0: a network failure and no response
  bool partial = false;  // see PrecedenceRow
  bool winning = false;  // take precedence lets it answer
  const std::string* session = nullptr;
  const Negotiation* negotiation = nullptr;
  const KeyedRecordings* key = nullptr;
  std::atomic<std::uint64_t> uses{0};
};

// The winning recordings of one key, session after session (newest session first), each in serving order.
struct KeyedRecordings {
  std::string key_text;
  std::vector<Recording*> recordings;
  bool single_session = true;
  bool is_token_request = false;
  // Recordings of the running take; not empty only if `grown`. Guarded by RecordingIndex.
  std::atomic<bool> grown{false};
  std::vector<Recording*> added;
};

// The recordings of a cassette by match key. What build-time calls put in is immutable after finish() and read without
// locks. What is added later lies beside it behind a mutex, which is touched only where something was added.
class RecordingIndex {
 public:
  // Building: one thread, all exchanges, then finish().
  void insert(const MatchKey& key, const StoredExchange& stored);
  void finish(const TakeLineage& lineage);

  // After finish(): thread-safe. What was added stands in all_of() at that position. nullopt when the exchange cannot
  // answer anything.
  struct Added {
    const KeyedRecordings* recordings;
    std::size_t position;
  };
  std::optional<Added> add(const MatchKey& key, const StoredExchange& stored);
  const KeyedRecordings* find(std::string_view key_text) const;
  // All recordings of a key, those added later last; a position in it never changes its meaning.
  std::vector<Recording*> all_of(const KeyedRecordings& recordings) const;

  std::uint64_t exchange_count() const { return exchange_count_.load(std::memory_order_relaxed); }
  std::int64_t newest_recorded_at_us() const { return newest_recorded_at_us_.load(std::memory_order_relaxed); }
  std::set<std::string> origins() const;
  // Those that were there when it was built, in recorded order, losing ones included.
  const std::deque<Recording>& built_recordings() const { return built_.recordings; }

  // Keys in the order of their texts, `count_max` at most, as near as can be to where `around` is or would be. Only
  // keys whose text starts with `prefix`.
  std::vector<const KeyedRecordings*> keys_around(std::string_view around, std::string_view prefix,
                                                  std::size_t count_max) const;

 private:
  struct Part {
    std::deque<Recording> recordings;
    std::deque<KeyedRecordings> keys;
    std::unordered_map<std::string_view, KeyedRecordings*> by_text;  // views of key_text
    std::set<std::string> origins;
  };
  Recording& new_recording(Part& part, const MatchKey& key, const StoredExchange& stored);
  static KeyedRecordings& new_key(Part& part, const MatchKey& key, std::string text);
  static void settle(KeyedRecordings& key, const TakeLineage& lineage);
  const std::vector<const KeyedRecordings*>& sorted_built_keys() const;

  Part built_;
  mutable std::once_flag sorted_once_;
  mutable std::vector<const KeyedRecordings*> sorted_;  // made for the first miss that is explained

  mutable std::mutex added_mutex_;
  std::atomic<bool> has_added_keys_{false};
  Part added_;
  std::set<std::string> sessions_;  // shared by all their recordings; nodes never move
  std::set<Negotiation> negotiations_;

  std::atomic<std::uint64_t> exchange_count_{0};
  std::atomic<std::int64_t> newest_recorded_at_us_{0};
};

}  // namespace tapedeck
