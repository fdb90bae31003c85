#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "config/options.hpp"
#include "storage/exchange/origin.hpp"

namespace tapedeck {

// Where an origin is dialled once --connect-to has been applied, and whether the user named that place himself.
struct DialTarget {
  std::string host;
  std::uint16_t port = 0;
  bool named = false;  // by --connect-to, --upstream or --host without a wildcard

  friend bool operator==(const DialTarget&, const DialTarget&) = default;
};
DialTarget dial_target(const Origin& origin, const Options& options);

enum class DialVerdict { allowed, own_listener, private_address };

// Whom we dial (decision 5): never our own listeners, and loopback, private, link-local and other addresses that are
// not the public Internet's only when the user named the place. An IPv4 address within an IPv6 one (mapped, compatible,
// NAT64, 6to4) is judged as well, since it is where such a connection ends.
DialVerdict dial_verdict(const boost::asio::ip::tcp::endpoint& endpoint, bool named,
                         const std::vector<boost::asio::ip::tcp::endpoint>& own_listeners);

// A name may have addresses of several kinds (DNS rebinding): each is judged by itself.
struct DialChoice {
  std::vector<boost::asio::ip::tcp::endpoint> allowed;  // in the order in which they came
  DialVerdict refusal = DialVerdict::allowed;           // of the first that was refused
};
DialChoice dial_choice(const std::vector<boost::asio::ip::tcp::endpoint>& endpoints, bool named,
                       const std::vector<boost::asio::ip::tcp::endpoint>& own_listeners);

// Where somebody who dials this machine may meet a listener: at its own address, or, when it listens on every address,
// at each of `machine_addresses`.
std::vector<boost::asio::ip::tcp::endpoint> meeting_places(
    const boost::asio::ip::tcp::endpoint& listener, const std::vector<boost::asio::ip::address>& machine_addresses);

// The addresses of this machine's interfaces now.
std::vector<boost::asio::ip::address> machine_addresses();

}  // namespace tapedeck
