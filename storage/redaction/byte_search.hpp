#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace tapedeck {

// Sixteen bytes at a time: a loop over so many, in a variable of its own, is compiled to vector instructions. Bodies of
// any size are looked through, so most of them must cost a fraction of a nanosecond a byte.
constexpr std::size_t byte_block = 16;
using ByteBlock = std::array<char, byte_block>;

inline ByteBlock block_of(const char* bytes) {
  ByteBlock block;
  std::memcpy(block.data(), bytes, byte_block);
  return block;
}

// Where the first byte from `at` on stands that is one of `wanted`, or the text's end.
template <char... wanted>
std::size_t find_byte(std::string_view text, std::size_t at) {
  const auto is_wanted = [](char c) { return static_cast<char>(((c == wanted) | ...)); };
  for (; at + byte_block <= text.size(); at += byte_block) {
    const ByteBlock block = block_of(text.data() + at);
    char any = 0;
    for (const char c : block) any = static_cast<char>(any | is_wanted(c));
    if (any != 0) break;
  }
  while (at < text.size() && !is_wanted(text[at])) ++at;
  return at;
}

}  // namespace tapedeck
