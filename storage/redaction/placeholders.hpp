#pragma once

#include <string>
#include <string_view>

#include "config/profile.hpp"

namespace tapedeck {

// What stands where a secret stood. Each shape can be told from any value of a real API, so that redacting a
// placeholder gives the placeholder.

// `{{tapedeck:CLASS}}`, or where clients check the form, a UUID or a JWT that no one else issues.
std::string placeholder(PlaceholderShape shape, std::string_view placeholder_class);

// CLASS: lower-case letters, digits and hyphens, at most 64.
bool is_placeholder_class(std::string_view text);

// Whether the whole of `value` is a placeholder of this shape and of any class.
bool is_placeholder(PlaceholderShape shape, std::string_view value);

// Whether a value has the form of a signed token (RFC 7519): three pieces of base64url, the first a JSON object.
bool looks_like_jwt(std::string_view value);

// Everything but the unreserved characters of RFC 3986 §2.3 is coded.
std::string percent_encode(std::string_view text);

// `+` is a space, as forms have it; a percent sign that codes nothing stands for itself.
std::string percent_decode(std::string_view text);

// RFC 4648 §4 and §5, both without padding.
std::string base64(std::string_view bytes);
std::string base64url(std::string_view bytes);
// Either alphabet; what is no digit ends the text.
std::string base64_decode(std::string_view text);

// The value of a hexadecimal digit, or -1.
int hex_digit_value(char c);

}  // namespace tapedeck
