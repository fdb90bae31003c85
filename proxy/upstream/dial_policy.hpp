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
};
DialTarget dial_target(const Origin& origin, const Options& options);

enum class DialVerdict { allowed, own_listener, private_address };

// Whom we dial (decision 5): never our own listeners, v4-mapped forms of them included; loopback, private and
// link-local addresses only when the user named the place. `own_listeners` with an unspecified address stand for every
// local one.
DialVerdict dial_verdict(const boost::asio::ip::tcp::endpoint& endpoint, bool named,
                         const std::vector<boost::asio::ip::tcp::endpoint>& own_listeners);

}  // namespace tapedeck
