#include "proxy/runtime/exit_code.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

Options replaying() {
  Options options;
  options.mode = Mode::replay;
  return options;
}

RunEnding ended(std::optional<int> command, std::uint64_t requests = 1) {
  RunEnding ending;
  ending.command_exit_code = command;
  ending.requests = requests;
  return ending;
}

template <class Change>
RunEnding with(RunEnding ending, Change change) {
  change(ending);
  return ending;
}

}  // namespace

TEST_CASE("exit codes of a run") {
  auto ci = replaying();
  ci.ci = true;
  auto lenient = replaying();
  lenient.allow_misses = true;
  auto strict = replaying();
  strict.fail_on_unused = true;
  auto asking = replaying();
  asking.mode = Mode::auto_;
  auto recording = replaying();
  recording.mode = Mode::record;

  const auto missing = [](RunEnding& ending) { ending.misses = 2; };
  const auto unused = [](RunEnding& ending) { ending.unused = 1; };
  const auto lost = [](RunEnding& ending) { ending.recording_failed = true; };
  struct Row {
    const char* name;
    Options options;
    RunEnding ending;
    int code;
  };
  const Row rows[] = {
      {"all went well", replaying(), ended(0), 0},
      {"all went well, not wrapped", replaying(), ended(std::nullopt), 0},
      {"the command failed", replaying(), ended(7), 7},
      {"the command failed and there were misses", replaying(), with(ended(7), missing), 7},
      {"the command failed and recordings are unused", strict, with(ended(7), unused), 7},
      {"the command died by a signal", replaying(), ended(128 + 9), 137},
      {"misses", replaying(), with(ended(0), missing), 123},
      {"misses, allowed", lenient, with(ended(0), missing), 0},
      {"misses, allowed, but --ci",
       [&] {
         auto o = lenient;
         o.ci = true;
         return o;
       }(),
       with(ended(0), missing), 123},
      {"misses, not wrapped", replaying(), with(ended(std::nullopt), missing), 0},
      {"misses, not wrapped, --ci", ci, with(ended(std::nullopt), missing), 1},
      {"misses of auto that may not record", asking, with(ended(0), missing), 123},
      {"unused", strict, with(ended(0), unused), 122},
      {"unused, nobody asked", replaying(), with(ended(0), unused), 0},
      {"misses go before unused", strict, with(with(ended(0), missing), unused), 123},
      {"no traffic, --ci", ci, ended(0, 0), 121},
      {"no traffic", replaying(), ended(0, 0), 0},
      {"a recording was lost", recording, with(ended(0), lost), 125},
      {"a recording was lost, not wrapped", recording, with(ended(std::nullopt), lost), 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto verdict = exit_verdict(row.ending, row.options);
    CHECK(verdict.code == row.code);
    CHECK(verdict.cause.empty() == (row.code == 0));
  }
}
