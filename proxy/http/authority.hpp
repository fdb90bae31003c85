#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.hpp"

namespace tapedeck {

// Host and port as they stand in a Host field, in CONNECT or in an absolute URL (RFC 3986 §3.2). `host` is lower-case,
// IPv6 in its canonical form and without brackets.
struct Authority {
  std::string host;
  std::optional<std::uint16_t> port;
  bool ip_literal = false;

  friend bool operator==(const Authority&, const Authority&) = default;
};

// Failures: "authority-empty", "authority-userinfo", "authority-host" (characters, labels, zone ids, the half-numeric
// spellings of IPv4 that resolvers accept), "authority-port" (not 1 to 65535). Details quote nothing of the input.
Result<Authority> parse_authority(std::string_view text);

// 80 for http, 443 for https, 0 for anything else.
std::uint16_t default_port(std::string_view scheme);

// Names and addresses that mean this machine whatever DNS says: localhost, *.localhost, 127.0.0.0/8, ::1.
bool is_loopback_host(std::string_view host);

}  // namespace tapedeck
