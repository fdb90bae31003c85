#include "replay/matching/body_digest.hpp"

#include <array>
#include <cassert>

#include <openssl/evp.h>

namespace tapedeck {

namespace {

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  [[maybe_unused]] const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  assert(done == 1 && size == 32);
  static constexpr char hex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += hex[digest[i] >> 4];
    text += hex[digest[i] & 15];
  }
  return text;
}

}  // namespace

std::string digest_and_size(std::string_view bytes) {
  return std::string(body_digest_prefix) + sha256_hex(bytes) + ", " + std::to_string(bytes.size()) + " bytes";
}

}  // namespace tapedeck
