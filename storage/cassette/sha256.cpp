#include "storage/cassette/sha256.hpp"

#include <cassert>
#include <new>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace tapedeck {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  Context() {
    if (handle == nullptr || EVP_DigestInit_ex(handle, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  }
  ~Context() { EVP_MD_CTX_free(handle); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  [[maybe_unused]] const int added = EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
  assert(added == 1);
}

std::string Sha256::finish() {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  unsigned int size = 0;
  [[maybe_unused]] const int done =
      EVP_DigestFinal_ex(context_->handle, reinterpret_cast<unsigned char*>(digest.data()), &size);
  assert(done == 1 && size == SHA256_DIGEST_LENGTH);
  return digest;
}

// The one-shot form needs no context, which counts for many small bodies.
std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace tapedeck
