#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// The client's side of the connection, as far as it changes what is served (decision 6).
struct ServedContext {
  std::string_view request_method = {};
  bool reverse = false;                    // origin-form to --upstream: Location is mapped back to `client_authority`
  std::string_view client_scheme = {};     // http or https, of the client's connection
  std::string_view client_authority = {};  // the client's Host field
  bool close = false;                      // the connection ends after this response
  bool http_1_0 = false;
};

// Removes the fields that end at this hop (see HopByHop). The framing fields stay where they are: the functions below
// write their values anew in their place.
Headers end_to_end_fields(const Headers& headers);

// How the body goes out to the client. The recorded framing decides, never what happens to be known of the body, so
// that recording and replaying serve the same bytes: a length stays a length, and what came in chunks or until close
// goes out in chunks (until close to HTTP/1.0). None for HEAD, 204 and 304, whatever the response says of itself.
BodyFraming served_framing(const Response& response, const ServedContext& context);

// One table says what is served; recording and replaying both use it. Appends to `head` the bytes of one, through
// the empty line, and returns it, with fields in their order and case. Connection: close is written if `close` is set
// or the body goes out until close; the session closes then.
//
// `body_bytes` is the length of the body that will be sent; without it the recorded Content-Length goes out. It is not
// looked at unless served_framing() is content_length. A Content-Length of HEAD and 304 stays as recorded.
//
// A field whose name or value no head may have (only a cassette that somebody edited has those) is left out, and so is
// such a reason; a status outside 200 to 599 is served as 502. Nothing from a cassette can add a line to a head.
std::string served_head(const Response& response, const ServedContext& context, const Origin& origin,
                        std::optional<std::uint64_t> body_bytes, std::string head = {});
// What a head takes, about: no more unless Location is mapped to a longer name.
std::size_t served_head_bytes(const Response& response);

// Empty for what must not be passed on: a status other than 100 and 102 to 199.
std::string served_interim_head(const InterimResponse& interim);

// What the way to an upstream changes of a request's head.
struct NextHop {
  std::string via;                  // our own entry of Via, behind the client's; empty: none
  bool absolute_form = false;       // to a parent proxy, whose target is a URL (RFC 9112 §3.2.2)
  std::string proxy_authorization;  // for that parent; empty: none
};

// What goes to the upstream: origin-form, Host where the client had it (first, if it had none) and naming the origin,
// other fields in their order and case, without what is the proxy's own. The framing is that of `request.body.framing`;
// `body_bytes` is the value of a Content-Length, and without it the client's own goes out. Empty when method, target or
// host are such as no request line may have, which the scan never lets pass but a cassette might.
std::string forwarded_head(const Request& request, std::optional<std::uint64_t> body_bytes,
                           const NextHop& next_hop = {});

// chunk-size line, and the last chunk with trailers (RFC 9112 §7.1). The CRLF after a chunk's data is the caller's to
// write. Left out are trailers that no trailer section may have, and digests when redaction changed the body.
std::string chunk_head(std::size_t bytes);
std::string last_chunk(const Headers& trailers, BodyForm form = BodyForm::verbatim);

}  // namespace tapedeck
