#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/head_scan.hpp"
#include "proxy/upstream/dial_policy.hpp"
#include "proxy/upstream/parent_proxy.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// CONNECT to a target through a parent proxy, as functions of values.

std::string parent_connect_head(const ParentProxy& parent, const DialTarget& target, std::string_view via);

// What a parent's answer to that means: nothing when the tunnel is open. Its words name the parent, never credentials.
std::optional<NetworkFailure> parent_refusal(const ParentProxy& parent, int status);

// The parent could not be reached, or failed before it answered.
NetworkFailure parent_failure(const ParentProxy& parent, NetworkFailure failure);

// It sent something that is no answer.
NetworkFailure parent_garbage(const ParentProxy& parent, const HeadRefusal& refusal);

}  // namespace tapedeck
