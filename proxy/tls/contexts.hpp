#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "config/result.hpp"
#include "proxy/tls/certificate_authority.hpp"

namespace tapedeck {

// Secrets that session tickets are sealed with. Contexts that share them take each other's tickets, so that a client
// resumes although its name's context was dropped and made again. Random; as long as OpenSSL asks for.
std::string make_ticket_keys();

// For the side that faces clients: TLS 1.2 and 1.3, ALPN http/1.1 where the client offers it (without it the handshake
// goes on without ALPN), one ticket a handshake.
std::shared_ptr<SSL_CTX> server_context(const CertificateAuthority::Leaf& leaf, std::string_view name,
                                        std::string_view ticket_keys);

// For the side that faces upstreams: verifies against the system's roots and `upstream_ca` beside them; ALPN http/1.1.
// Failure `upstream-ca-unusable` when that bundle is missing, unreadable or holds no certificate.
Result<std::shared_ptr<SSL_CTX>> upstream_context(const std::filesystem::path* upstream_ca, bool insecure);

// Sets what one connection has to itself: the name sent (never for addresses, RFC 6066 §3) and the name or address that
// the certificate must be for. Failure `bad-host-name`.
Result<void> prepare_upstream(SSL* ssl, std::string_view host);

}  // namespace tapedeck
