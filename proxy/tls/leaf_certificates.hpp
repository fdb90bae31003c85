#pragma once

#include <memory>
#include <string_view>

#include "proxy/tls/certificate_authority.hpp"

namespace tapedeck {

// Server-side TLS contexts by name, minted once per name even when many connections ask at once; a leaf near its end is
// minted again. Bounded: the least recently used name goes first. Thread-safe. Contexts: TLS 1.2 and 1.3, ALPN http/1.1,
// session tickets on.
class LeafCertificates {
 public:
  LeafCertificates(std::shared_ptr<const CertificateAuthority> authority, std::size_t names_max);
  ~LeafCertificates();

  // `name` is a lower-case DNS name or an IP literal.
  Result<std::shared_ptr<SSL_CTX>> context_for(std::string_view name);
  std::uint64_t minted_count() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The client-side context: verifies against the system's roots and `upstream_ca` beside them; ALPN http/1.1.
Result<std::shared_ptr<SSL_CTX>> upstream_context(const std::filesystem::path* upstream_ca, bool insecure);

}  // namespace tapedeck
