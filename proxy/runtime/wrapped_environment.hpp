#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/load_options.hpp"
#include "config/options.hpp"

namespace tapedeck {

// What a wrapped command is told about the proxy.
struct ProxyAddresses {
  std::string proxy_url;  // http://127.0.0.1:40001
  std::string base_url;
  std::string admin_url;  // empty: off
  std::filesystem::path ca_file;
  std::filesystem::path bundle_file;       // system roots and ours, merged
  std::filesystem::path java_trust_store;  // empty: Java is left out
  std::string recorded_at;                 // RFC 3339; empty: recording
  std::vector<std::string> intercepted;    // globs of the hosts that no exception may lead past us
};

// The contract's section "A wrapped COMMAND", as functions of values. `parent` is where existing values are found,
// which are added to where the variable allows.

// What is set, alone: for `tapedeck env`.
Environment proxy_variables(const Environment& parent, const ProxyAddresses& addresses, const Options& options);

// All of `parent` with it, without whatever would lead past us: proxies are never handed down.
Environment wrapped_environment(const Environment& parent, const ProxyAddresses& addresses, const Options& options);

}  // namespace tapedeck
