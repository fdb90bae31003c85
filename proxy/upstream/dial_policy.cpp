#include "proxy/upstream/dial_policy.hpp"

#include <algorithm>

#include "config/profile.hpp"
#include "storage/exchange/headers.hpp"

namespace tapedeck {

namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

address without_v4_mapping(const address& from) {
  if (from.is_v6() && from.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, from.to_v6());
  }
  return from;
}

bool in_network(address_v4 address, std::uint32_t network, int bits) {
  return (address.to_uint() >> (32 - bits)) == (network >> (32 - bits));
}

bool is_private(const address& any) {
  if (any.is_unspecified() || any.is_loopback() || any.is_multicast()) return true;
  if (any.is_v4()) {
    const auto v4 = any.to_v4();
    return in_network(v4, 0x0A000000, 8) || in_network(v4, 0xAC100000, 12) || in_network(v4, 0xC0A80000, 16) ||
           in_network(v4, 0xA9FE0000, 16) || in_network(v4, 0x64400000, 10) || in_network(v4, 0x00000000, 8) ||
           in_network(v4, 0x7F000000, 8);
  }
  const auto v6 = any.to_v6();
  return v6.is_link_local() || v6.is_site_local() || (v6.to_bytes()[0] & 0xFE) == 0xFC;
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
    target.named = true;
    return target;
  }
  const auto names_host = [&](const std::string& glob) {
    return glob.find('*') == std::string::npos && host_glob_matches(glob, origin.host, origin.port);
  };
  target.named = (options.upstream && equal_without_case(options.upstream->host, origin.host)) ||
                 std::any_of(options.hosts.begin(), options.hosts.end(), names_host);
  return target;
}

DialVerdict dial_verdict(const boost::asio::ip::tcp::endpoint& endpoint, bool named,
                         const std::vector<boost::asio::ip::tcp::endpoint>& own_listeners) {
  const auto address = without_v4_mapping(endpoint.address());
  const bool own = std::any_of(own_listeners.begin(), own_listeners.end(), [&](const auto& listener) {
    if (listener.port() != endpoint.port()) return false;
    const auto listening = without_v4_mapping(listener.address());
    // 0.0.0.0 dials this machine, and a listener there takes what comes to any of its addresses.
    return listening == address || address.is_unspecified() || (listening.is_unspecified() && is_private(address));
  });
  if (own) return DialVerdict::own_listener;
  if (!named && is_private(address)) return DialVerdict::private_address;
  return DialVerdict::allowed;
}

}  // namespace tapedeck
