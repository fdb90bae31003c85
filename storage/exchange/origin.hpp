#pragma once

#include <cstdint>
#include <string>

namespace tapedeck {

// Scheme, host and port (RFC 6454). `host` is lower-case, IPv6 without brackets; the port is always given.
struct Origin {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const Origin&, const Origin&) = default;

  // "https://api.roaring.io", with brackets around IPv6 and the port only when it is not the scheme's own.
  std::string text() const;
  // The same without the scheme, as a Host field has it.
  std::string authority() const;
};

}  // namespace tapedeck
