#include "replay/serving/index_layout.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "storage/cassette/sha256.hpp"

namespace tapedeck {

namespace {

__extension__ using Wide = unsigned __int128;

// Both halves of the product: every bit of either factor reaches the result.
std::uint64_t mixed(std::uint64_t left, std::uint64_t right) {
  const auto product = static_cast<Wide>(left) * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t index_hash(std::uint64_t seed, std::string_view bytes) {
  constexpr std::uint64_t odd_1 = 0xa0761d6478bd642f;
  constexpr std::uint64_t odd_2 = 0xe7037ed1a0b428db;
  const std::uint64_t size = bytes.size();
  std::uint64_t value = mixed(seed ^ odd_1, size ^ odd_2);
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const auto taken = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), taken);
    value = mixed(value ^ word ^ seed, odd_1) + word;
    bytes.remove_prefix(taken);
  }
  return mixed(value ^ odd_2, size ^ odd_1);
}

std::uint64_t check_of(std::uint64_t seed, std::uint32_t number, const TextRow& row, std::string_view text) {
  return index_hash(index_hash(seed + number, bytes_of(row.at)), text);
}

std::uint64_t check_of(std::uint64_t seed, std::uint32_t number, const NegotiationRow& row, std::string_view texts) {
  return index_hash(index_hash(index_hash(seed + number, bytes_of(row.at)), bytes_of(row.bytes)), texts);
}

KeyCheck::KeyCheck(std::uint64_t seed, const KeyedRecordings& key)
    : value_(index_hash(seed, bytes_of(key).substr(0, offsetof(KeyedRecordings, check)))) {
}

IndexDigest digest_of(const IndexHeader& header) {
  const auto computed = sha256(bytes_of(header).substr(0, offsetof(IndexHeader, digest)));
  IndexDigest digest{};
  std::copy(computed.begin(), computed.end(), digest.begin());
  return digest;
}

}  // namespace tapedeck
