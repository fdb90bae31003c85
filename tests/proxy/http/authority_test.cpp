#include "proxy/http/authority.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace tapedeck;
using namespace std::string_literals;

namespace {

// "host", "host port", with "ip" where it is an address; else the failure's code.
std::string parsed(std::string_view text) {
  const auto authority = parse_authority(text);
  if (!authority) {
    CHECK(authority.error().blame == Blame::client);
    return "!" + authority.error().code;
  }
  auto outcome = authority->host;
  if (authority->port) outcome += " " + std::to_string(*authority->port);
  if (authority->ip_literal) outcome += " ip";
  return outcome;
}

}  // namespace

TEST_CASE("authorities") {
  struct Row {
    std::string text, outcome;
  };
  const std::vector<Row> rows = {
      {"a", "a"},
      {"API.Roaring.io", "api.roaring.io"},
      {"api.roaring.io:443", "api.roaring.io 443"},
      {"my_service-1:8080", "my_service-1 8080"},
      {"1password.com", "1password.com"},
      {"a:1", "a 1"},
      {"a:65535", "a 65535"},
      {"127.0.0.1", "127.0.0.1 ip"},
      {"127.0.0.1:80", "127.0.0.1 80 ip"},
      {"[::1]", "::1 ip"},
      {"[::1]:443", "::1 443 ip"},
      {"[0:0:0:0:0:0:0:1]", "::1 ip"},
      {"[2001:DB8::0:A]:1", "2001:db8::a 1 ip"},
      {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1 ip"},
      {"", "!authority-empty"},
      {":80", "!authority-host"},
      {"a@b", "!authority-userinfo"},
      {"user:pass@b:80", "!authority-userinfo"},
      {"@b", "!authority-userinfo"},
      {"a:", "!authority-port"},
      {"a:0", "!authority-port"},
      {"a:00080", "a 80"},
      {"a:000080", "!authority-port"},
      {"a:65536", "!authority-port"},
      {"a:-1", "!authority-port"},
      {"a:+1", "!authority-port"},
      {"a: 80", "!authority-port"},
      {"a:80x", "!authority-port"},
      {"a:80:80", "!authority-port"},
      {"::1", "!authority-host"},
      {"::1:80", "!authority-host"},
      {"[::1", "!authority-host"},
      {"[::1]80", "!authority-host"},
      {"[::1]x:80", "!authority-host"},
      {"[]", "!authority-host"},
      {"[127.0.0.1]", "!authority-host"},
      {"[fe80::1%25eth0]", "!authority-host"},
      {"[fe80::1%eth0]", "!authority-host"},
      {"[v1.a]", "!authority-host"},
      {"[::1\0]"s, "!authority-host"},
      {"a b", "!authority-host"},
      {"a/b", "!authority-host"},
      {"a\\b", "!authority-host"},
      {"a,b", "!authority-host"},
      {"a%41", "!authority-host"},
      {"å.se", "!authority-host"},
      {"a\r\nb", "!authority-host"},
      {"a\0b"s, "!authority-host"},
      {"127.0.0.1\0"s, "!authority-host"},
      {".a", "!authority-host"},
      {"a.", "!authority-host"},
      {"a..b", "!authority-host"},
      {".", "!authority-host"},
      {"*.a", "!authority-host"},
      {"127.1", "!authority-host"},
      {"2130706433", "!authority-host"},
      {"0x7f000001", "!authority-host"},
      {"0x7f.0.0.1", "!authority-host"},
      {"127.0.0.0x1", "!authority-host"},
      {"0177.0.0.1", "!authority-host"},
      {"256.0.0.1", "!authority-host"},
      {"1.2.3.4.5", "!authority-host"},
      {"a.1", "!authority-host"},
      {std::string(63, 'a'), std::string(63, 'a')},
      {std::string(64, 'a'), "!authority-host"},
      {std::string(5000, 'a') + ".se", "!authority-host"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(parsed(row.text) == row.outcome);
  }
}

TEST_CASE("loopback hosts") {
  struct Row {
    std::string host;
    bool loopback;
  };
  const std::vector<Row> rows = {
      {"localhost", true},
      {"a.localhost", true},
      {"localhost.a", false},
      {"notlocalhost", false},
      {"127.0.0.1", true},
      {"127.255.0.9", true},
      {"127.evil.example", false},
      {"128.0.0.1", false},
      {"::1", true},
      {"::2", false},
      {"", false},
      {"127.0.0.1\0x"s, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.host);
    CHECK(is_loopback_host(row.host) == row.loopback);
  }
}
