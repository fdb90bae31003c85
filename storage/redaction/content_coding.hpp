#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.hpp"

namespace tapedeck {

// The content codings that can be undone (RFC 9110 §8.4.1, RFC 7932, RFC 8878). `deflate` is read in both its forms
// (zlib, raw).
enum class ContentCoding { identity, gzip, deflate, br, zstd };

// nullopt for a coding that is not known, or for a list of several.
std::optional<ContentCoding> content_coding_of(std::string_view content_encoding_value);

// Failure `body-undecodable` (corrupt, truncated, bytes behind the end) or `body-too-large` (over `bytes_max`).
Result<std::string> decode_content(ContentCoding coding, std::string_view bytes, std::size_t bytes_max);

// What can be read of bytes that may be cut or corrupt.
struct DecodedPrefix {
  enum class End { whole, cut, corrupt, too_large };
  std::string text;
  std::size_t bytes_read = 0;  // how many of the coded bytes `text` comes from
  End end = End::whole;
};
DecodedPrefix decode_content_prefix(ContentCoding coding, std::string_view bytes, std::size_t bytes_max);

// Whether coded bytes end as the coding asks, or stay open, as those of a body that was cut.
enum class CodedEnd { closed, open };

// The same text gives the same bytes each time, without a time stamp. `deflate` is written as zlib.
std::string encode_content(ContentCoding coding, std::string_view text, CodedEnd end = CodedEnd::closed);

}  // namespace tapedeck
