#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

#include "config/result.hpp"

namespace tapedeck {

// What a running tapedeck tells whoever waits for it, once everything listens (contract: "Ready file").
struct ReadyFile {
  pid_t pid = 0;
  std::string proxy_url;
  std::string base_url;
  std::string base_url_tls;
  std::string admin_url;  // empty: off, and so is the token
  std::string admin_token;
  std::map<std::string, std::string> sessions;  // proxy URL of each session that has a port of its own
  std::filesystem::path ca_file;
  std::filesystem::path bundle_file;
  // Beside the contract's, so that `tapedeck env` can say all that a wrapped command is told; left out when empty.
  std::filesystem::path java_trust_store;
  std::string recorded_at;
  std::vector<std::string> intercepted;  // globs of hosts

  friend bool operator==(const ReadyFile&, const ReadyFile&) = default;
};

// In one step and of mode 0600, for the token's sake. Failure `file-unwritable`.
Result<void> write_ready_file(const std::filesystem::path& file, const ReadyFile& ready);

// Failures: ready-file-missing, ready-file-broken.
Result<ReadyFile> read_ready_file(const std::filesystem::path& file);

}  // namespace tapedeck
