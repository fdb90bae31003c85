#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load_options.hpp"
#include "proxy/upstream/dial_policy.hpp"
#include "storage/exchange/origin.hpp"

namespace tapedeck {

// The proxy that our own environment names, through which upstreams are reached.
struct ParentProxy {
  std::string host;  // lower-case; IPv6 without brackets
  std::uint16_t port = 80;
  std::string authorization;  // value of Proxy-Authorization, a secret; empty: none

  std::string address() const;  // host:port, for people
  friend bool operator==(const ParentProxy&, const ParentProxy&) = default;
};

struct ParentProxies {
  std::optional<ParentProxy> for_https;  // and for tunnels
  std::optional<ParentProxy> for_http;
  std::vector<std::string> exceptions;  // of no_proxy, lower-case
};

// Out of https_proxy, http_proxy, all_proxy and no_proxy; the lower-case name wins over the upper-case one. What cannot
// be used is said in a warning that names the variable and nothing of its value, since that may hold a password.
struct ParentProxiesRead {
  ParentProxies proxies;
  std::vector<std::string> warnings;
};
ParentProxiesRead read_parent_proxies(const Environment& environment);

// Whether an entry of no_proxy covers a host: a name and all below it (with or without a dot or `*.` in front), an
// address, a block of addresses (10.0.0.0/8), each but the block with `:PORT` or without, or `*`.
bool is_excepted(const std::vector<std::string>& exceptions, std::string_view host, std::uint16_t port);

// The parent through which an origin is reached, or null: it is dialled. Loopback addresses are this machine's, and
// what a parent would make of them is another's.
const ParentProxy* parent_of(const ParentProxies& proxies, const Origin& origin, const DialTarget& target);

// Whether a parent is one of our own listeners. A name is looked up, which may wait for DNS, only when its port is one
// of ours.
bool is_this_run(const ParentProxy& parent, const std::vector<boost::asio::ip::tcp::endpoint>& own_listeners);

}  // namespace tapedeck
