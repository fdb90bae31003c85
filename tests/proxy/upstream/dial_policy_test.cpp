#include "proxy/upstream/dial_policy.hpp"

#include <algorithm>

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
      {"unspecified IPv6", "::", 9000, false, DialVerdict::private_address},
      {"our own listener by the unspecified IPv6 address", "::", 8484, true, DialVerdict::own_listener},
      {"our port at another loopback address is another program's", "127.0.0.2", 8484, true, DialVerdict::allowed},
      {"this network", "0.1.2.3", 80, false, DialVerdict::private_address},
      {"protocol assignments", "192.0.0.8", 80, false, DialVerdict::private_address},
      {"benchmarks", "198.19.255.255", 80, false, DialVerdict::private_address},
      {"behind the benchmarks", "198.20.0.0", 80, false, DialVerdict::allowed},
      {"multicast", "224.0.0.1", 80, false, DialVerdict::private_address},
      {"multicast, last", "239.255.255.255", 80, false, DialVerdict::private_address},
      {"before multicast", "223.255.255.255", 80, false, DialVerdict::allowed},
      {"reserved", "240.0.0.1", 80, false, DialVerdict::private_address},
      {"broadcast", "255.255.255.255", 80, false, DialVerdict::private_address},
      {"before carrier-grade NAT", "100.63.255.255", 80, false, DialVerdict::allowed},
      {"carrier-grade NAT, last", "100.127.255.255", 80, false, DialVerdict::private_address},
      {"behind carrier-grade NAT", "100.128.0.0", 80, false, DialVerdict::allowed},
      {"before 169.254.0.0/16", "169.253.255.255", 80, false, DialVerdict::allowed},
      {"IPv6 loopback", "::1", 80, false, DialVerdict::private_address},
      {"unique local IPv6, first half", "fc00::1", 443, false, DialVerdict::private_address},
      {"link-local IPv6 with a scope", "fe80::1%1", 443, false, DialVerdict::private_address},
      {"site-local IPv6", "fec0::1", 443, false, DialVerdict::private_address},
      {"IPv6 multicast", "ff02::1", 443, false, DialVerdict::private_address},
      {"NAT64 of a private address", "64:ff9b::10.0.0.1", 443, false, DialVerdict::private_address},
      {"NAT64 of the metadata", "64:ff9b::a9fe:a9fe", 80, false, DialVerdict::private_address},
      {"NAT64 of a public address", "64:ff9b::203.0.113.5", 443, false, DialVerdict::allowed},
      {"a network's own NAT64", "64:ff9b:1::203.0.113.5", 443, false, DialVerdict::private_address},
      {"6to4 of loopback", "2002:7f00:1::1", 443, false, DialVerdict::private_address},
      {"6to4 of a private address", "2002:c0a8:101::1", 443, false, DialVerdict::private_address},
      {"6to4 of a public address", "2002:cb00:7105::1", 443, false, DialVerdict::allowed},
      {"IPv4-compatible loopback", "::127.0.0.1", 80, false, DialVerdict::private_address},
      {"IPv4-compatible public address", "::203.0.113.5", 80, false, DialVerdict::allowed},
      {"mapped loopback that was named", "::ffff:127.0.0.1", 9000, true, DialVerdict::allowed},
      {"mapped link-local", "::ffff:169.254.169.254", 80, false, DialVerdict::private_address},
      {"named private address", "10.1.2.3", 443, true, DialVerdict::allowed},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(dial_verdict(at(row.address, row.port), row.named, own) == row.verdict);
  }
}

TEST_CASE("a listener on every address is met at each address of this machine") {
  struct Row {
    const char* name;
    const char* listening;
    const char* address;
    std::uint16_t port;
    DialVerdict verdict;
  };
  const Row rows[] = {
      {"loopback", "0.0.0.0", "127.0.0.1", 8484, DialVerdict::own_listener},
      {"other loopback addresses", "0.0.0.0", "127.9.9.9", 8484, DialVerdict::own_listener},
      {"mapped loopback", "0.0.0.0", "::ffff:127.0.0.3", 8484, DialVerdict::own_listener},
      {"unspecified", "0.0.0.0", "0.0.0.0", 8484, DialVerdict::own_listener},
      {"an interface", "0.0.0.0", "192.168.7.7", 8484, DialVerdict::own_listener},
      {"a public interface", "0.0.0.0", "203.0.113.9", 8484, DialVerdict::own_listener},
      {"an interface, mapped", "0.0.0.0", "::ffff:192.168.7.7", 8484, DialVerdict::own_listener},
      {"another machine", "0.0.0.0", "192.168.7.8", 8484, DialVerdict::allowed},
      {"another port", "0.0.0.0", "192.168.7.7", 8485, DialVerdict::allowed},
      {"IPv6 loopback", "::", "::1", 8484, DialVerdict::own_listener},
      {"IPv4 loopback of a listener on both", "::", "127.0.0.1", 8484, DialVerdict::own_listener},
      {"an interface's link-local address, with its scope", "::", "fe80::7%2", 8484, DialVerdict::own_listener},
  };
  const std::vector<boost::asio::ip::address> machine{make_address("127.0.0.1"), make_address("192.168.7.7"),
                                                      make_address("203.0.113.9"), make_address("fe80::7")};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto own = meeting_places(at(row.listening, 8484), machine);
    CHECK(dial_verdict(at(row.address, row.port), true, own) == row.verdict);
  }
  CHECK(meeting_places(at("127.0.0.1", 8484), machine).size() == 1);
  const auto here = machine_addresses();
  CHECK(std::find(here.begin(), here.end(), make_address("127.0.0.1")) != here.end());
}

TEST_CASE("each address of a name is judged by itself") {
  const std::vector<tcp::endpoint> own{at("127.0.0.1", 8484)};
  using Addresses = std::vector<tcp::endpoint>;
  struct Row {
    const char* name;
    Addresses resolved;
    bool named;
    Addresses allowed;
    DialVerdict refusal;
  };
  const Row rows[] = {
      {"all public",
       {at("203.0.113.5", 80), at("2001:db8::5", 80)},
       false,
       {at("203.0.113.5", 80), at("2001:db8::5", 80)},
       DialVerdict::allowed},
      {"rebound to loopback", {at("127.0.0.1", 80)}, false, {}, DialVerdict::private_address},
      {"rebound to our own port", {at("127.0.0.1", 8484)}, false, {}, DialVerdict::own_listener},
      {"mixed, loopback first",
       {at("127.0.0.1", 80), at("203.0.113.5", 80)},
       false,
       {at("203.0.113.5", 80)},
       DialVerdict::private_address},
      {"mixed, loopback last",
       {at("203.0.113.5", 80), at("::1", 80)},
       false,
       {at("203.0.113.5", 80)},
       DialVerdict::private_address},
      {"mixed forms of private",
       {at("::ffff:10.0.0.1", 80), at("64:ff9b::7f00:1", 80)},
       false,
       {},
       DialVerdict::private_address},
      {"named, but one is ourselves",
       {at("127.0.0.1", 8484), at("127.0.0.2", 8484)},
       true,
       {at("127.0.0.2", 8484)},
       DialVerdict::own_listener},
      {"no address", {}, false, {}, DialVerdict::allowed},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto choice = dial_choice(row.resolved, row.named, own);
    CHECK(choice.allowed == row.allowed);
    CHECK(choice.refusal == row.refusal);
  }
}

TEST_CASE("where an origin is dialled") {
  Options options;
  options.connect_to = {
      {"api.x.io", 443, "127.0.0.1", 9443}, {"", 8080, "other.io", 0}, {"", 8443, "", 9443}, {"p.io", 1, "", 2}};
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
      {"--connect-to that only changes ports names no place", {"https", "z.io", 8443}, {"z.io", 9443, false}},
      {"--connect-to that changes the port of a host", {"https", "p.io", 1}, {"p.io", 2, true}},
      {"--host", {"https", "named.io", 443}, {"named.io", 443, true}},
      {"--host with a wildcard names no place", {"https", "a.wild.io", 443}, {"a.wild.io", 443, false}},
      {"--upstream", {"https", "up.io", 443}, {"up.io", 443, true}},
      {"another port of --upstream", {"https", "up.io", 22}, {"up.io", 22, false}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(dial_target(row.origin, options) == row.target);
  }
}
