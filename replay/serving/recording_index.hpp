#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replay/matching/match_key.hpp"
#include "replay/serving/eligibility.hpp"
#include "replay/serving/index_entry.hpp"
#include "replay/serving/index_image.hpp"

namespace tapedeck {

using UseCount = std::atomic<std::uint32_t>;

// A recording of the running take. Immutable once it can be found, but for the count of its uses.
struct AddedRecording {
  RecordingRow row;  // its session and negotiation have numbers behind those of the image
  std::string_view session;
  Negotiation negotiation;
  mutable UseCount uses{0};
};

// One recording, as it was when it was asked for.
struct Recording {
  RecordingRow row;
  const AddedRecording* added = nullptr;
  UseCount* uses = nullptr;
};

// All recordings of a key, those of the running take last; a position never changes its meaning. Costs nothing to make
// but where something was added.
class RecordingList {
 public:
  std::size_t size() const { return built_.size() + added_.size(); }
  Recording operator[](std::size_t position) const;

 private:
  friend class RecordingIndex;
  std::span<const RecordingRow> built_;
  UseCount* built_uses_ = nullptr;  // of the first
  std::vector<const AddedRecording*> added_;
};

// The recordings of a cassette by match key: an image that does not change, read without locks, and the counts of its
// uses. What is added later lies beside it behind a mutex, which is touched only where something was added.
class RecordingIndex {
 public:
  explicit RecordingIndex(std::unique_ptr<const IndexImage> image);

  // All that follows is thread-safe. What was added stands in recordings_of() at that position. nullopt when the
  // exchange cannot answer anything.
  struct Added {
    const KeyedRecordings* recordings;
    std::size_t position;
  };
  std::optional<Added> add(const MatchKey& key, const StoredExchange& stored);
  std::uint64_t additions() const { return additions_.load(std::memory_order_acquire); }

  const KeyedRecordings* find(std::string_view key_text) const;
  std::string_view text_of(const KeyedRecordings& key) const;
  bool has_grown(const KeyedRecordings& key) const;
  RecordingList recordings_of(const KeyedRecordings& key) const;
  std::string_view session_of(const Recording& recording) const;
  Negotiation negotiation_of(const Recording& recording) const;

  std::uint64_t exchange_count() const { return image_->exchange_count() + additions(); }
  std::int64_t newest_recorded_at_us() const { return newest_recorded_at_us_.load(std::memory_order_relaxed); }
  std::set<std::string> origins() const;
  // The keys that were there when it was built.
  std::span<const KeyedRecordings> built_keys() const { return image_->keys(); }
  bool is_sound(const KeyedRecordings& built) const { return image_->is_sound(built); }
  // Recordings of a key that was there when it was built which nobody has been given.
  void for_each_unused(const KeyedRecordings& built, const std::function<void(const RecordingRow&)>& visit) const;

  // Keys in the order of their texts, `count_max` at most, as near as can be to where `around` is or would be. Only
  // keys whose text starts with `prefix`.
  std::vector<const KeyedRecordings*> keys_around(std::string_view around, std::string_view prefix,
                                                  std::size_t count_max) const;

 private:
  struct AddedKey : KeyedRecordings {
    std::string text;
  };
  const KeyedRecordings* find_added(std::string_view key_text) const;
  const KeyedRecordings& new_key(const MatchKey& key, std::string text);
  void mark_grown(const KeyedRecordings& key);

  std::unique_ptr<const IndexImage> image_;
  std::unique_ptr<UseCount[]> uses_;                     // of the image's recordings
  std::unique_ptr<std::atomic<std::uint64_t>[]> grown_;  // a bit for each of its keys
  std::atomic<std::int64_t> newest_recorded_at_us_{0};

  mutable std::mutex added_mutex_;
  std::atomic<bool> has_added_keys_{false};
  std::atomic<std::uint64_t> additions_{0};
  std::deque<AddedKey> added_keys_;  // what stands in it never moves
  std::unordered_map<std::string_view, const AddedKey*> added_by_text_;
  std::unordered_map<const KeyedRecordings*, std::vector<const AddedRecording*>> added_to_;
  std::deque<AddedRecording> added_;
  // Shared by added recordings; nodes never move. What they lead to is a number.
  std::map<std::string, std::uint32_t> added_sessions_;
  std::map<NegotiationTexts, std::uint32_t> added_negotiations_;
  std::set<std::string> added_origins_;
};

}  // namespace tapedeck
