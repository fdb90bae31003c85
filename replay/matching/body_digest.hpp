#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck {

// How the text for a body that is known by its digest alone begins. No canonical JSON, no coded form pair and no line
// of a multipart body does.
inline constexpr std::string_view body_digest_prefix = "sha256 ";

// "sha256 2cf24dba…, 5 bytes"
std::string digest_and_size(std::string_view bytes);
// The same of the digest's own bytes.
std::string digest_text(std::string_view digest, std::uint64_t size);

}  // namespace tapedeck
