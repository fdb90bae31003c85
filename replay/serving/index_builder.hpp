#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replay/serving/index_entry.hpp"
#include "replay/serving/index_layout.hpp"
#include "replay/serving/take_precedence.hpp"

namespace tapedeck {

// Makes a key index: all exchanges, then finish(), then write() as often as one likes. Lists of numbers and one text
// for all keys, since a million small objects would cost several times as much.
class IndexBuilder {
 public:
  // The seed is random but in tests, see IndexHeader.
  explicit IndexBuilder(std::uint64_t hash_seed) : seed_(hash_seed) {}

  // In order of (take ordinal, finished number).
  void insert(const MatchKey& key, const StoredExchange& stored);
  void finish(const TakeLineage& lineage);

  std::uint64_t exchange_count() const { return recordings_.size(); }
  std::uint64_t image_bytes() const { return header_.image_bytes; }
  // False when the sink would not take more.
  bool write(const IndexDigest& identity, const IndexSink& sink) const;
  // The same into memory.
  IndexBytes image(const IndexDigest& identity) const;

 private:
  struct Key {
    std::uint64_t hash = 0;
    std::uint64_t text_at = 0;
    std::uint32_t text_bytes = 0;
    std::uint32_t flags = 0;
    // Of its recordings in recordings_in_order_; set by finish().
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  class Output;

  std::uint32_t number_of_key(const MatchKey& key);
  void grow_table();
  std::string_view text_of(const Key& key) const;
  std::string_view text_of(std::uint32_t number) const { return text_of(keys_[number]); }
  void put_keys_in_order();
  void group_recordings();
  void settle(Key& key, const TakeLineage& lineage, std::span<const std::string_view> session_names);
  void lay_out();
  std::uint64_t key_texts_at() const;
  RecordingRow row_of(std::uint32_t recording, std::uint32_t key) const;
  KeyedRecordings row_of(const Key& key, std::uint32_t number, std::uint64_t text_at, std::uint32_t first) const;
  void write_slots(Output& out) const;
  void write_keys(Output& out) const;
  void write_recordings(Output& out) const;
  void write_shared_rows(Output& out) const;
  void write_texts(Output& out) const;

  std::uint64_t seed_;
  std::string texts_;
  std::vector<Key> keys_;
  std::vector<std::uint32_t> table_;  // as IndexHeader::slots, of keys_
  std::vector<RecordingRow> recordings_;
  std::vector<bool> partial_;
  std::map<std::string, std::uint32_t> sessions_;
  std::map<NegotiationTexts, std::uint32_t> negotiations_;
  std::set<std::string> origins_;

  // Made by finish().
  std::vector<std::uint32_t> keys_in_order_;
  std::vector<std::uint32_t> recordings_in_order_;  // key after key; of each key, first the winning ones
  IndexHeader header_;
};

}  // namespace tapedeck
