#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

namespace tapedeck {

// A key index is one flat image without pointers: the same bytes in memory and in a file. It is derived from a cassette
// and the rules of matching, holds for one state of both, and is made anew whenever either differs. It belongs to one
// machine, so numbers are as the machine has them. Sections follow the header in the order of its fields.

inline constexpr std::array<char, 8> index_magic{'T', 'D', 'C', 'K', 'K', 'E', 'Y', 'S'};
inline constexpr std::uint32_t index_layout_version = 1;
inline constexpr std::uint32_t index_byte_order = 0x01020304;

using IndexDigest = std::array<char, 32>;  // SHA-256

struct IndexSection {
  std::uint64_t at = 0;  // from the beginning of the image
  std::uint64_t count = 0;
};

struct IndexHeader {
  std::array<char, 8> magic = index_magic;
  std::uint32_t layout_version = index_layout_version;
  std::uint32_t byte_order = index_byte_order;
  IndexDigest identity{};       // of what the index was derived from
  std::uint64_t hash_seed = 0;  // random, so that no cassette can be made whose keys collide
  std::uint64_t image_bytes = 0;
  std::uint64_t exchange_count = 0;
  std::int64_t newest_recorded_at_us = 0;
  IndexSection slots;         // std::uint32_t: a key's number and one, 0 for none; open addressing by hash
  IndexSection keys;          // KeyedRecordings in the order of their texts
  IndexSection recordings;    // RecordingRow, key after key
  IndexSection sessions;      // TextRow
  IndexSection negotiations;  // NegotiationRow
  IndexSection origins;       // TextRow in order
  IndexSection texts;         // bytes
  IndexDigest digest{};       // of the header before it
};

// A key and the winning recordings that share it, session after session (newest session first), each in serving order.
struct KeyedRecordings {
  static constexpr std::uint32_t single_session = 1;
  static constexpr std::uint32_t token_request = 2;

  std::uint64_t hash = 0;  // of the text
  std::uint64_t text_at = 0;
  std::uint32_t text_bytes = 0;
  std::uint32_t first = 0;  // of its recordings
  std::uint32_t count = 0;
  std::uint32_t flags = 0;
  std::uint64_t check = 0;  // see check_of
};

struct RecordingRow {
  std::int64_t exchange_id = 0;
  std::int64_t take_ordinal = 0;
  std::int64_t recorded_at_us = 0;
  std::uint64_t finished_number = 0;
  std::uint32_t session = 0;
  std::uint32_t negotiation = 0;
  std::uint32_t key = 0;
  std::int32_t status = 0;  // 0: a network failure and no response
};

struct TextRow {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  std::uint64_t check = 0;
};

// The texts of a Negotiation one after the other, in the order of its fields.
struct NegotiationRow {
  std::uint64_t at = 0;
  std::array<std::uint32_t, 5> bytes{};
  std::uint32_t zero = 0;
  std::uint64_t check = 0;
};

static_assert(std::has_unique_object_representations_v<IndexHeader>);
static_assert(std::has_unique_object_representations_v<KeyedRecordings>);
static_assert(std::has_unique_object_representations_v<RecordingRow>);
static_assert(std::has_unique_object_representations_v<TextRow>);
static_assert(std::has_unique_object_representations_v<NegotiationRow>);

template <class Row>
std::string_view bytes_of(const Row& row) {
  return {reinterpret_cast<const char*>(&row), sizeof(Row)};
}

// Quick, not cryptographic: what it guards against is damage, and keys made to collide by whoever does not know the
// seed.
std::uint64_t index_hash(std::uint64_t seed, std::string_view bytes);

// What a row says of itself, and for a key of its recordings. `check` of the row given is left out.
std::uint64_t check_of(std::uint64_t seed, std::uint32_t number, const TextRow& row, std::string_view text);
std::uint64_t check_of(std::uint64_t seed, std::uint32_t number, const NegotiationRow& row, std::string_view texts);
class KeyCheck {
 public:
  KeyCheck(std::uint64_t seed, const KeyedRecordings& key);
  void add(const RecordingRow& row) { value_ = index_hash(value_, bytes_of(row)); }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_;
};
IndexDigest digest_of(const IndexHeader& header);

// An image and whatever keeps it in place.
struct IndexBytes {
  std::string_view view;  // begins at an address that is a multiple of 8
  std::shared_ptr<const void> owner;
};

// Takes an image piece after piece; false: it cannot take more.
using IndexSink = std::function<bool(std::string_view)>;

}  // namespace tapedeck
