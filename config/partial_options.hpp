#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/options.hpp"

namespace tapedeck {

// What one source (command line, environment, config file) sets; what it leaves open is nullopt. A list is set as a
// whole: a source that names hosts hides the hosts of the sources below it.
struct PartialOptions {
  std::optional<std::filesystem::path> config;
  std::optional<std::filesystem::path> cassette;
  std::optional<std::vector<ListenAddress>> listen;
  std::optional<bool> allow_remote;
  std::optional<UpstreamUrl> upstream;
  std::optional<std::vector<std::string>> profiles;
  std::optional<std::vector<std::string>> hosts;
  std::optional<std::vector<ConnectTo>> connect_to;
  std::optional<std::filesystem::path> upstream_ca;
  std::optional<bool> upstream_insecure;
  std::optional<std::filesystem::path> ca_dir;
  std::optional<std::optional<ListenAddress>> admin;  // the inner one is empty for `off`
  std::optional<std::filesystem::path> ready_file;
  std::optional<std::vector<std::string>> secrets;  // each a value or env:NAME
  std::optional<RecordPolicy> record_policy;
  std::optional<bool> keep_errors;
  std::optional<bool> durable;
  std::optional<TakeDisposition> take_disposition;
  std::optional<int> miss_status;
  std::optional<SequencePolicy> sequence;
  std::optional<Timing> timing;
  std::optional<std::string> session;
  std::optional<std::vector<std::string>> set_env;
  std::optional<bool> proxy_localhost;
  std::optional<bool> allow_misses;
  std::optional<bool> fail_on_unused;
  std::optional<bool> ci;
  std::optional<bool> record_in_ci;
  std::optional<bool> mark;
  std::optional<std::filesystem::path> report;
  std::optional<bool> log_json;
  std::optional<int> verbosity;
  std::optional<unsigned> workers;
  std::optional<std::chrono::milliseconds> connect_timeout_ms;
  std::optional<std::chrono::milliseconds> response_timeout_ms;
  std::optional<std::chrono::milliseconds> idle_timeout_ms;
  std::optional<std::size_t> connections_max;
};

// Field by field the one that `over` sets, else the one of `under`. Secrets alone add up: one that is named anywhere is
// to be found nowhere.
PartialOptions layered(PartialOptions over, const PartialOptions& under);

}  // namespace tapedeck
