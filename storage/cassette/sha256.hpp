#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tapedeck {

// SHA-256 (FIPS 180-4) of bytes that come in pieces; as 32 bytes, not as hex.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::string_view bytes);
  // To be called once.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256(std::string_view bytes);

}  // namespace tapedeck
