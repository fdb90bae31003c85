#include "proxy/upstream/dial_policy.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

namespace {

tcp::endpoint at(const char* address, std::uint16_t port) {
  return {make_address(address), port};
}

}  // namespace

TEST_CASE("whom we dial") {
  const std::vector<tcp::endpoint> own{at("127.0.0.1", 8484), at("::1", 8485)};
  struct Row {
    const char* name;
    const char* address;
    std::uint16_t port;
    bool named;
    DialVerdict verdict;
  };
  const Row rows[] = {
      {"a public address", "203.0.113.5", 443, false, DialVerdict::allowed},
      {"a public IPv6 address", "2001:db8::5", 443, false, DialVerdict::allowed},
      {"our own listener", "127.0.0.1", 8484, true, DialVerdict::own_listener},
      {"our own listener, mapped into IPv6", "::ffff:127.0.0.1", 8484, true, DialVerdict::own_listener},
      {"our own listener by the unspecified address", "0.0.0.0", 8484, true, DialVerdict::own_listener},
      {"our own IPv6 listener", "::1", 8485, true, DialVerdict::own_listener},
      {"loopback that nobody named", "127.0.0.1", 9000, false, DialVerdict::private_address},
      {"loopback that was named", "127.0.0.1", 9000, true, DialVerdict::allowed},
      {"another loopback address", "127.8.9.1", 80, false, DialVerdict::private_address},
      {"10.0.0.0/8", "10.1.2.3", 443, false, DialVerdict::private_address},
      {"172.16.0.0/12, last", "172.31.255.255", 443, false, DialVerdict::private_address},
      {"behind 172.16.0.0/12", "172.32.0.1", 443, false, DialVerdict::allowed},
      {"192.168.0.0/16", "192.168.1.1", 443, false, DialVerdict::private_address},
      {"link-local, where clouds keep their metadata", "169.254.169.254", 80, false, DialVerdict::private_address},
      {"carrier-grade NAT", "100.64.0.1", 443, false, DialVerdict::private_address},
      {"private, mapped into IPv6", "::ffff:192.168.1.1", 443, false, DialVerdict::private_address},
      {"unique local IPv6", "fd00::1", 443, false, DialVerdict::private_address},
      {"link-local IPv6", "fe80::1", 443, false, DialVerdict::private_address},
      {"unspecified", "0.0.0.0", 9000, false, DialVerdict::private_address},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(dial_verdict(at(row.address, row.port), row.named, own) == row.verdict);
  }
}

TEST_CASE("a listener on every address is met at each private one") {
  const std::vector<tcp::endpoint> own{at("0.0.0.0", 8484)};
  CHECK(dial_verdict(at("127.0.0.1", 8484), true, own) == DialVerdict::own_listener);
  CHECK(dial_verdict(at("192.168.7.7", 8484), true, own) == DialVerdict::own_listener);
  CHECK(dial_verdict(at("127.0.0.1", 8485), true, own) == DialVerdict::allowed);
}

TEST_CASE("where an origin is dialled") {
  Options options;
  options.connect_to = {{"api.x.io", 443, "127.0.0.1", 9443}, {"", 8080, "other.io", 0}};
  options.hosts = {"named.io", "*.wild.io"};
  options.upstream = UpstreamUrl{"https", "up.io", 443};
  struct Row {
    const char* name;
    Origin origin;
    DialTarget target;
  };
  const Row rows[] = {
      {"nothing said", {"https", "api.y.io", 443}, {"api.y.io", 443, false}},
      {"--connect-to", {"https", "api.x.io", 443}, {"127.0.0.1", 9443, true}},
      {"--connect-to, another port", {"https", "api.x.io", 444}, {"api.x.io", 444, false}},
      {"--connect-to with any host, port kept", {"http", "z.io", 8080}, {"other.io", 8080, true}},
      {"--host", {"https", "named.io", 443}, {"named.io", 443, true}},
      {"--host with a wildcard names no place", {"https", "a.wild.io", 443}, {"a.wild.io", 443, false}},
      {"--upstream", {"https", "up.io", 443}, {"up.io", 443, true}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto target = dial_target(row.origin, options);
    CHECK(target.host == row.target.host);
    CHECK(target.port == row.target.port);
    CHECK(target.named == row.target.named);
  }
}
