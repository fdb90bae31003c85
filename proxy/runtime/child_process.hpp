#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "config/options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// Environment variables by name.
using Environment = std::map<std::string, std::string>;
Environment current_environment();

// What a wrapped command is told about the proxy.
struct ProxyAddresses {
  std::string proxy_url;  // http://127.0.0.1:40001
  std::string base_url;
  std::string admin_url;  // empty: off
  std::filesystem::path ca_file;
  std::filesystem::path bundle_file;       // system roots and ours, merged
  std::filesystem::path java_trust_store;  // empty: none
  std::string recorded_at;                 // RFC 3339; empty: recording
};

// The contract's section "A wrapped COMMAND", as a function of values: existing values are kept and added to where the
// variable allows (NODE_OPTIONS, JAVA_TOOL_OPTIONS), proxies of a parent are never handed down.
Environment wrapped_environment(const Environment& parent, const ProxyAddresses& addresses, const Options& options);

// `tapedeck env`: the same variables as lines for sh, fish, dotenv, github (GITHUB_ENV file) or json. Values are quoted
// so that no shell expands them.
std::string format_environment(const Environment& variables, std::string_view format);

// Starts `command` with its standard streams our own. Failure codes: command-not-found (exit 127),
// command-not-executable (126).
Result<pid_t> spawn(const std::vector<std::string>& command, const Environment& environment);

// The exit code of a wait status as the contract wants it: the command's own, or 128+N by signal.
int exit_code_of(int wait_status);

}  // namespace tapedeck
