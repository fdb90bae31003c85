#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/options.hpp"

namespace tapedeck {

// How a run ended, as far as its exit code depends on it.
struct RunEnding {
  std::optional<int> command_exit_code;  // of the wrapped command; unset: none was wrapped
  std::string failure;                   // why we could not do our work; empty: we could
  bool recording_failed = false;         // an exchange could not be kept
  std::uint64_t requests = 0;
  std::uint64_t misses = 0;
  std::uint64_t unused = 0;
};

// The contract's exit codes and the cause, which is the last line on standard error (empty when all went well).
struct ExitVerdict {
  int code = 0;
  std::string cause;
};
ExitVerdict exit_verdict(const RunEnding& ending, const Options& options);

}  // namespace tapedeck
