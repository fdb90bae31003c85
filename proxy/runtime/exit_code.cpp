#include "proxy/runtime/exit_code.hpp"

namespace tapedeck {

namespace {

std::string counted(std::uint64_t count, const std::string& singular, const std::string& plural) {
  return std::to_string(count) + " " + (count == 1 ? singular : plural);
}

}  // namespace

// The command's own failure goes first: what it says about itself is what its caller wants to know.
ExitVerdict exit_verdict(const RunEnding& ending, const Options& options) {
  const bool wrapped = ending.command_exit_code.has_value();
  if (wrapped && *ending.command_exit_code != 0) {
    return {*ending.command_exit_code, "the command ended with exit code " + std::to_string(*ending.command_exit_code)};
  }
  if (!ending.failure.empty() || ending.recording_failed) {
    return {wrapped ? 125 : 1, ending.recording_failed ? "a recording could not be kept" : ending.failure};
  }
  const bool misses_fail = (wrapped && !options.allow_misses) || options.ci;
  if (misses_fail && ending.misses != 0) {
    return {wrapped ? 123 : 1, counted(ending.misses, "request has", "requests have") + " no recording"};
  }
  if (options.fail_on_unused && ending.unused != 0) {
    return {wrapped ? 122 : 1, counted(ending.unused, "recording was", "recordings were") + " not used"};
  }
  if (options.ci && ending.requests == 0) return {wrapped ? 121 : 1, "not one request came"};
  return {};
}

}  // namespace tapedeck
