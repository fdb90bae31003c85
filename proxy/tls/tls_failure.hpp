#pragma once

#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// Why TLS with a peer came to an end.
struct TlsFailure {
  NetworkFailure::Kind kind = NetworkFailure::Kind::protocol;  // certificate, tls_alert, protocol or closed
  std::string code;                                            // the library's own words
  std::string text;                                            // one line for people, with the mend where there is one
};

// Reads the verify result of `ssl` and the thread's OpenSSL error queue, which is empty afterwards. `host` is who we
// asked for (client side) or who we stand in for (server side), and may be empty.
TlsFailure take_tls_failure(const SSL* ssl, std::string_view host);

}  // namespace tapedeck
