#pragma once

#include <variant>

#include "proxy/runtime/asio.hpp"
#include "proxy/tls/tls_failure.hpp"
#include "proxy/upstream/upstream_settings.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// A connected socket, or why there is none: the name is resolved, and each address that the dial policy allows is tried
// in its turn.
using Connected = std::variant<tcp::socket, NetworkFailure>;
awaitable<Connected> dial(const UpstreamSettings& settings, DialTarget target);

// The same judgement for a target that a parent proxy will dial: of an address, and of a name that means this machine.
std::optional<NetworkFailure> refuse_through_parent(const UpstreamSettings& settings, const DialTarget& target);

// The words of the failure table for what the system reported in a phase. What TLS reported says more.
NetworkFailure network_failure(NetworkFailure::Phase phase, const error_code& error, const TlsFailure* tls = nullptr);

}  // namespace tapedeck
