#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "proxy/tls/certificate_authority.hpp"
#include "proxy/tls/contexts.hpp"

namespace tapedeck {

// Server-side TLS contexts by name, minted once per name even when many connections ask at once; a leaf near its end is
// minted again. Bounded: the least recently used name goes first. Thread-safe.
class LeafCertificates {
 public:
  using Clock = std::function<std::chrono::system_clock::time_point()>;

  LeafCertificates(std::shared_ptr<const CertificateAuthority> authority, std::size_t names_max,
                   Clock clock = std::chrono::system_clock::now);
  ~LeafCertificates();

  // `name` is a lower-case DNS name or an IP literal. Failures as of CertificateAuthority::mint; they are not kept.
  Result<std::shared_ptr<SSL_CTX>> context_for(std::string_view name);
  std::uint64_t minted_count() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
