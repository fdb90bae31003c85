#include "proxy/http/authority.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace tapedeck {

namespace {

Failure failure(const char* code, const char* detail) {
  return {code, Blame::client, detail};
}

Failure bad_host() {
  return failure("authority-host", "the host is neither a name nor an IP address; write it as in a URL");
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

// "12", "0x7f": inet_aton() would read a name that ends so as an address, a DNS server would not.
bool looks_numeric(std::string_view label) {
  if (label.starts_with("0x")) return label.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  return std::all_of(label.begin(), label.end(), is_digit);
}

bool is_name(std::string_view host) {
  constexpr std::size_t name_bytes_max = 253, label_bytes_max = 63;
  if (host.empty() || host.size() > name_bytes_max) return false;
  while (true) {
    const auto label = host.substr(0, host.find('.'));
    if (label.empty() || label.size() > label_bytes_max) return false;
    if (!std::all_of(label.begin(), label.end(), is_name_byte)) return false;
    if (label.size() == host.size()) return !looks_numeric(label);
    host.remove_prefix(label.size() + 1);
  }
}

// inet_pton() would stop at a NUL and like what stands before it.
bool is_ipv4(const std::string& host) {
  in_addr address;
  return host.find('\0') == std::string::npos && inet_pton(AF_INET, host.c_str(), &address) == 1;
}

std::optional<std::string> canonical_ipv6(const std::string& host) {
  in6_addr address;
  if (host.find('\0') != std::string::npos || inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text;
  return inet_ntop(AF_INET6, &address, text.data(), text.size());
}

Result<Authority> parse_host(std::string_view text, bool bracketed) {
  Authority authority;
  authority.host.resize(text.size());
  std::transform(text.begin(), text.end(), authority.host.begin(), lower);
  if (bracketed) {
    const auto canonical = canonical_ipv6(authority.host);
    if (!canonical) return bad_host();
    authority.host = *canonical;
    authority.ip_literal = true;
    return authority;
  }
  if (is_name(authority.host)) return authority;
  if (authority.host.find_first_not_of("0123456789.") != std::string::npos || !is_ipv4(authority.host))
    return bad_host();
  authority.ip_literal = true;
  return authority;
}

}  // namespace

Result<Authority> parse_authority(std::string_view text) {
  if (text.empty()) return failure("authority-empty", "there is no host; write it as in a URL");
  if (text.find('@') != std::string_view::npos) {
    return failure("authority-userinfo", "user information stands before the host; leave it out");
  }
  const bool bracketed = text.front() == '[';
  auto host = text.substr(0, text.find(':'));
  auto rest = text.substr(host.size());
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad_host();
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  }
  auto authority = parse_host(host, bracketed);
  if (!authority || rest.empty()) return authority;
  if (rest.front() != ':') return bad_host();
  rest.remove_prefix(1);
  constexpr std::size_t port_digits_max = 5;
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (rest.size() > port_digits_max || parsed.ec != std::errc() || parsed.ptr != rest.data() + rest.size() ||
      port == 0) {
    return failure("authority-port", "the port is not a number from 1 to 65535; correct it");
  }
  authority->port = port;
  return authority;
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : scheme == "http" ? 80 : 0;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
  return host.starts_with("127.") && is_ipv4(std::string(host));
}

}  // namespace tapedeck
