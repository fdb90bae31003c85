#include "replay/matching/body_digest.hpp"

#include "storage/cassette/sha256.hpp"

namespace tapedeck {

std::string digest_text(std::string_view digest, std::uint64_t size) {
  constexpr char hex[] = "0123456789abcdef";
  std::string text(body_digest_prefix);
  for (const char c : digest) {
    const auto byte = static_cast<unsigned char>(c);
    text += hex[byte >> 4];
    text += hex[byte & 15];
  }
  return text + ", " + std::to_string(size) + " bytes";
}

std::string digest_and_size(std::string_view bytes) {
  return digest_text(sha256(bytes), bytes.size());
}

}  // namespace tapedeck
