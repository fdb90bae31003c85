#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "proxy/http/field_syntax.hpp"
#include "storage/exchange/body.hpp"
#include "storage/exchange/headers.hpp"

namespace tapedeck {

// A head of HTTP/1.1 as it stands in the caller's buffer. All views point into that buffer and die with its next
// change. One ScannedHead is used again and again, so that a keep-alive connection scans without allocating.
struct ScannedHead {
  std::string_view method;  // request
  std::string_view target;  // request: as sent
  int status = 0;           // response
  std::string_view reason;  // response
  int version_minor = 1;    // of HTTP/1.x
  std::vector<HeaderView> fields;
  std::size_t head_bytes = 0;  // through the empty line

  // Framing as the scan alone decides it (RFC 9112 §6.3). For a response it still depends on the request's method:
  // see response_framing.
  bool chunked = false;
  std::optional<std::uint64_t> content_length;

  std::string_view find(std::string_view name) const;  // first of that name or ""
  bool contains(std::string_view name) const;
  bool list_contains(std::string_view name, std::string_view token) const;
  bool keep_alive() const;  // RFC 9112 §9.3
  Headers headers() const;  // a copy of all fields
};

struct HeadScan {
  enum class Outcome { need_more, complete, refused };
  Outcome outcome = Outcome::need_more;
  HeadRefusal refusal;
};

// Strict scan of the head at the beginning of `bytes`: refuses every shape on which two parsers can disagree (CL with
// TE, two CLs, obs-fold, bare CR or LF, space before the colon, controls, unknown transfer codings, HTTP/1.0 with TE
// …). One CRLF before a request line is passed over (RFC 9112 §2.2) and counts in `head_bytes`.
//
// Callers call again from the beginning when more has come. Such a call parses the first line and then only looks for
// line ends, so it costs one memchr pass over what is there, at most `head_bytes_max`; fields are parsed once, when the
// head is whole. The outcome does not depend on how the bytes were split. After `need_more` and `refused` the contents
// of `head` mean nothing.
HeadScan scan_request_head(std::string_view bytes, const Limits& limits, ScannedHead& head);
HeadScan scan_response_head(std::string_view bytes, const Limits& limits, ScannedHead& head);

struct MessageFraming {
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;
};
MessageFraming request_framing(const ScannedHead& head);
// HEAD, 1xx, 204, 304 and a 2xx to CONNECT have no body whatever their fields say (RFC 9112 §6.3).
MessageFraming response_framing(const ScannedHead& head, std::string_view request_method);

}  // namespace tapedeck
