#pragma once

#include <optional>
#include <string>

#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// The client's side of the connection, as far as it changes what is served (decision 6).
struct ServedContext {
  std::string_view request_method;
  bool reverse = false;           // origin-form to --upstream: Location is mapped back to `client_authority`
  std::string_view client_scheme; // http or https, of the client's connection
  std::string_view client_authority;  // the client's Host field
  bool close = false;             // the connection ends after this response
  bool http_1_0 = false;
};

// Removes hop-by-hop fields (RFC 9110 §7.6.1): Connection and what it names, Keep-Alive, Proxy-*, TE, Upgrade …, and the
// framing fields, which the serialiser writes anew.
Headers end_to_end_fields(const Headers& headers);

// One table says what is served; recording and replaying both use it. Returns the bytes of the head, through the empty
// line. `body_bytes` is set when the length is known; else the body is sent chunked (or until close to HTTP/1.0).
std::string served_head(const Response& response, const ServedContext& context, const Origin& origin,
                        std::optional<std::uint64_t> body_bytes);
std::string served_interim_head(const InterimResponse& interim);

// What goes to the upstream: origin-form, Host from the origin, fields in their order and case. `body_bytes` as above.
std::string forwarded_head(const Request& request, std::optional<std::uint64_t> body_bytes, bool has_body);

// chunk-size line, and the last chunk with trailers (RFC 9112 §7.1).
std::string chunk_head(std::size_t bytes);
std::string last_chunk(const Headers& trailers);

}  // namespace tapedeck
