#include "proxy/upstream/dial_policy.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>
#include <optional>

#include "config/profile.hpp"
#include "proxy/runtime/asio.hpp"
#include "storage/exchange/headers.hpp"

namespace tapedeck {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

namespace {

struct Network {
  std::uint32_t first;
  int bits;
};

// What of IPv4 is not the public Internet (RFC 6890 and the IANA registry of special addresses).
constexpr std::array<Network, 11> special_v4 = {{
    {0x00000000, 8},   // this network; Linux dials itself there
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // carrier-grade NAT
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local, where clouds keep their metadata
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarks
    {0xE0000000, 4},   // multicast
    {0xF0000000, 4},   // reserved, and broadcast
}};

bool is_special(address_v4 address) {
  return std::any_of(special_v4.begin(), special_v4.end(), [&](const Network& network) {
    return (address.to_uint() >> (32 - network.bits)) == (network.first >> (32 - network.bits));
  });
}

bool begins_with(const address_v6::bytes_type& bytes, std::initializer_list<unsigned char> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

address_v4 v4_at(const address_v6::bytes_type& bytes, std::size_t offset) {
  return address_v4({bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]});
}

// The IPv4 address at which a connection to this IPv6 address ends.
std::optional<address_v4> embedded_v4(const address_v6& from) {
  const auto bytes = from.to_bytes();
  if (begins_with(bytes, {0x20, 0x02})) return v4_at(bytes, 2);
  if (begins_with(bytes, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(bytes, 12);
  const bool compatible = begins_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  if (from.is_v4_mapped() || (compatible && !from.is_unspecified() && !from.is_loopback())) return v4_at(bytes, 12);
  return std::nullopt;
}

bool is_special(const address_v6& v6) {
  if (v6.is_unspecified() || v6.is_loopback() || v6.is_multicast() || v6.is_link_local()) return true;
  if (const auto v4 = embedded_v4(v6)) return is_special(*v4);
  const auto bytes = v6.to_bytes();
  const bool unique_local = (bytes[0] & 0xFE) == 0xFC;
  // A network's own NAT64 (RFC 8215) may lead to any private address of it.
  return unique_local || v6.is_site_local() || begins_with(bytes, {0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01});
}

// As the system dials it: without a scope, and an IPv4 address that is mapped into IPv6 as the plain one.
address plain_address(const address& from) {
  if (!from.is_v6()) return from;
  const auto v6 = from.to_v6();
  if (v6.is_v4_mapped()) return v4_at(v6.to_bytes(), 12);
  return address_v6(v6.to_bytes());
}

bool connect_to_matches(const ConnectTo& rule, const Origin& origin) {
  return (rule.from_host.empty() || equal_without_case(rule.from_host, origin.host)) &&
         (rule.from_port == 0 || rule.from_port == origin.port);
}

}  // namespace

DialTarget dial_target(const Origin& origin, const Options& options) {
  DialTarget target{origin.host, origin.port, false};
  const auto rule = std::find_if(options.connect_to.begin(), options.connect_to.end(),
                                 [&](const ConnectTo& each) { return connect_to_matches(each, origin); });
  if (rule != options.connect_to.end()) {
    if (!rule->to_host.empty()) target.host = rule->to_host;
    if (rule->to_port != 0) target.port = rule->to_port;
    // A rule that only changes ports leaves the choice of the host to the client.
    target.named = !rule->to_host.empty() || !rule->from_host.empty();
    return target;
  }
  const auto names_host = [&](const std::string& glob) {
    return glob.find('*') == std::string::npos && host_glob_matches(glob, origin.host, origin.port);
  };
  const auto& upstream = options.upstream;
  target.named = (upstream && equal_without_case(upstream->host, origin.host) && upstream->port == origin.port) ||
                 std::any_of(options.hosts.begin(), options.hosts.end(), names_host);
  return target;
}

DialVerdict dial_verdict(const tcp::endpoint& endpoint, bool named, const std::vector<tcp::endpoint>& own_listeners) {
  const auto address = plain_address(endpoint.address());
  const bool special = address.is_v4() ? is_special(address.to_v4()) : is_special(address.to_v6());
  const bool own = std::any_of(own_listeners.begin(), own_listeners.end(), [&](const tcp::endpoint& listener) {
    if (listener.port() != endpoint.port()) return false;
    const auto listening = plain_address(listener.address());
    // Whoever dials an unspecified address reaches this machine, and all of loopback a listener on every address.
    if (address.is_unspecified() || (listening.is_unspecified() && address.is_loopback())) return true;
    return listening == address;
  });
  if (own) return DialVerdict::own_listener;
  return named || !special ? DialVerdict::allowed : DialVerdict::private_address;
}

DialChoice dial_choice(const std::vector<tcp::endpoint>& endpoints, bool named,
                       const std::vector<tcp::endpoint>& own_listeners) {
  DialChoice choice;
  for (const auto& endpoint : endpoints) {
    const auto verdict = dial_verdict(endpoint, named, own_listeners);
    if (verdict == DialVerdict::allowed) choice.allowed.push_back(endpoint);
    if (choice.refusal == DialVerdict::allowed) choice.refusal = verdict;
  }
  return choice;
}

std::vector<tcp::endpoint> meeting_places(const tcp::endpoint& listener,
                                          const std::vector<address>& machine_addresses) {
  std::vector<tcp::endpoint> places{listener};
  if (!listener.address().is_unspecified()) return places;
  for (const auto& each : machine_addresses) places.emplace_back(each, listener.port());
  return places;
}

std::vector<address> machine_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> holder(first, ::freeifaddrs);
  std::vector<address> addresses;
  for (const auto* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    if (each->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, each->ifa_addr, sizeof v4);
      addresses.emplace_back(address_v4(ntohl(v4.sin_addr.s_addr)));
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, each->ifa_addr, sizeof v6);
      address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), v6.sin6_addr.s6_addr, bytes.size());
      addresses.emplace_back(address_v6(bytes));
    }
  }
  return addresses;
}

}  // namespace tapedeck
