#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tapedeck {

// The server name that a TLS client asks for (RFC 6066 §3), read before any answer is given.
struct ClientHello {
  // need_more: a true beginning of a ClientHello. none: a whole one without a name. not_tls: anything else, too large
  // ones and such with a name that is no host name included.
  enum class Outcome { need_more, name, none, not_tls };
  Outcome outcome = Outcome::need_more;
  std::string name;  // lower-case
};

// More than any real client sends, post-quantum key shares included.
constexpr std::size_t client_hello_bytes_max = 32 * 1024;

// `bytes` is the beginning of a connection; what follows the ClientHello is not looked at.
ClientHello parse_client_hello(std::string_view bytes);

}  // namespace tapedeck
