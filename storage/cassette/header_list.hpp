#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// How lists of fields and 1xx responses lie in a blob (docs/cassette-format.md, "Header lists").
std::string encode_headers(const Headers& headers);
std::string encode_interim_responses(const std::vector<InterimResponse>& responses);

// Whether the fields can be encoded in so many bytes and decoded again.
bool headers_fit(const Headers& headers, std::size_t bytes_max);

// Nothing when the bytes are not such a list, or hold what would break the message they are served in.
std::optional<Headers> decode_headers(std::string_view bytes);
std::optional<std::vector<InterimResponse>> decode_interim_responses(std::string_view bytes);

// Whether `text` can stand in a head without ending its line (RFC 9112 §2.2: CR, LF and NUL never may).
bool fits_on_line(std::string_view text);
// The same, and no blank: a method, a target, a host.
bool fits_in_word(std::string_view text);

}  // namespace tapedeck
