#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck {

// Something in a stored exchange that looks like a secret, told so that the telling is none: of the value only its
// first bytes and its length are kept.
struct Finding {
  enum class Kind { secret, warning };  // a warning is for a person to judge
  Kind kind = Kind::secret;
  std::string place;  // "response body, byte 1234", "request header Cookie"
  std::string rule;   // "json access_token", "JSON Web Token", "--secret, base64"
  std::string value_start;
  std::size_t value_bytes = 0;
  std::uint64_t at = 0;  // where in its place it begins
};

// Of one text no more than these are looked for: a cassette from elsewhere may be made of nothing else.
constexpr std::size_t suspects_max = 1000;

// A value in one of the texts of an exchange.
struct SuspectSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string rule;
  Finding::Kind kind = Finding::Kind::secret;
};

}  // namespace tapedeck
