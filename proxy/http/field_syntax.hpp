#pragma once

#include <string_view>

#include "storage/exchange/headers.hpp"

namespace tapedeck {

// Why a head or a trailer section is refused: a name for tests and logs, and one line for people. Never quotes values.
struct HeadRefusal {
  int status = 400;  // 400, 414, 431 or 505; a proxy answers 502 when the upstream did it
  std::string_view code;
  std::string_view detail;
};

// A token of RFC 9110 §5.6.2, which methods and field names are.
bool is_token(std::string_view text);
bool is_field_name(std::string_view name);

// Bytes that a request target may hold: visible ASCII but '#'. That is what a URL looks like once it is
// percent-encoded, and leniently '{', '|' and their like, which clients do send and no parser splits at.
constexpr bool is_target_byte(char c) {
  return c > 0x20 && c < 0x7f && c != '#';
}
bool is_target(std::string_view target);

// Bytes that a field value may hold (RFC 9110 §5.5): HTAB, SP, visible ASCII and obs-text (0x80-0xff, so UTF-8 passes),
// without white space at either end. A value that passes cannot end its line, so serialising it injects nothing.
bool is_field_value(std::string_view value);

// One field line without its CRLF, as heads and trailers have it (RFC 9112 §5). The views of `field` point into
// `line`. Null when the line is fine, else a refusal that lives for ever.
const HeadRefusal* parse_field_line(std::string_view line, HeaderView& field);

}  // namespace tapedeck
