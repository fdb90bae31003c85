#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/result.hpp"

namespace tapedeck {

// The content codings that can be undone (RFC 9110 §8.4.1). `deflate` is read in both its forms (zlib, raw).
enum class ContentCoding { identity, gzip, deflate };

// nullopt for a coding that is not known, or for a list of several.
std::optional<ContentCoding> content_coding_of(std::string_view content_encoding_value);

// Failure `body-undecodable` (corrupt, truncated, bytes behind the end) or `body-too-large` (over `bytes_max`).
Result<std::string> decode_content(ContentCoding coding, std::string_view bytes, std::size_t bytes_max);
std::string encode_content(ContentCoding coding, std::string_view bytes);

}  // namespace tapedeck
