#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "replay/serving/eligibility.hpp"
#include "replay/serving/index_layout.hpp"

namespace tapedeck {

// Reads a key index where it lies. It may come from a file that anything has happened to (but must not be cut short
// while it is mapped: the system ends a program that reads behind the end), and reading all of it would cost what it
// saves: so bounds are checked at each access, and a key's rows against their check value before they answer for the
// first time. What is not as it was written is taken as not there. Thread-safe.
class IndexImage {
 public:
  // nullptr: it is not whole, of another layout, or derived from something else. `on_damage` is called once, by
  // whatever thread finds that something in the image is not as it was written.
  static std::unique_ptr<IndexImage> of(IndexBytes bytes, const IndexDigest& identity, std::function<void()> on_damage);

  std::uint64_t exchange_count() const { return header_.exchange_count; }
  std::int64_t newest_recorded_at_us() const { return header_.newest_recorded_at_us; }

  // The key is compared as a whole text, so that no index can lead to the recordings of another one.
  const KeyedRecordings* find(std::string_view key_text) const;
  std::span<const KeyedRecordings> keys() const { return keys_; }
  std::span<const RecordingRow> recordings() const { return recordings_; }
  bool holds(const KeyedRecordings& key) const;
  // Whether the key and all that is said of it are as they were written. Looked at once.
  bool is_sound(const KeyedRecordings& key) const;

  // Empty when out of bounds.
  std::string_view text_of(const KeyedRecordings& key) const { return text(key.text_at, key.text_bytes); }
  std::span<const RecordingRow> recordings_of(const KeyedRecordings& key) const;
  std::string_view session(std::uint32_t number) const;
  Negotiation negotiation(std::uint32_t number) const;
  std::uint32_t session_count() const { return static_cast<std::uint32_t>(sessions_.size()); }
  std::uint32_t negotiation_count() const { return static_cast<std::uint32_t>(negotiations_.size()); }
  std::size_t origin_count() const { return origins_.size(); }
  std::optional<std::string_view> origin(std::size_t number) const;

 private:
  IndexImage(IndexBytes bytes, const IndexHeader& header, std::function<void()> on_damage)
      : bytes_(std::move(bytes)), header_(header), on_damage_(std::move(on_damage)) {}
  bool take_sections();
  const KeyedRecordings* find_in_order(std::string_view key_text) const;
  bool check(const KeyedRecordings& key) const;
  bool check_session(std::uint32_t number) const;
  bool check_negotiation(std::uint32_t number) const;
  std::string_view text(std::uint64_t at, std::uint64_t bytes) const;
  std::string_view texts_of(const NegotiationRow& row) const;
  void note_damage() const;

  IndexBytes bytes_;
  IndexHeader header_;
  std::function<void()> on_damage_;
  mutable std::atomic<bool> damage_noted_{false};
  std::span<const std::uint32_t> slots_;
  std::span<const KeyedRecordings> keys_;
  std::span<const RecordingRow> recordings_;
  std::span<const TextRow> sessions_;
  std::span<const NegotiationRow> negotiations_;
  std::span<const TextRow> origins_;
  std::string_view texts_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> sound_;  // a bit a key: it has been checked
};

}  // namespace tapedeck
