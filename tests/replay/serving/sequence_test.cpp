#include "replay/serving/sequence.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace tapedeck {

namespace {

// What `policy` gives for `times` requests that all may be answered by `candidates`; x: exhausted.
std::string given(SequencePolicy policy, std::vector<std::size_t> candidates, std::vector<std::uint32_t>& served,
                  int times) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    const auto chosen = next_in_sequence(policy, candidates, served);
    text += (text.empty() ? "" : " ") + (chosen ? std::to_string(*chosen) : "x");
    if (!chosen) continue;
    if (*chosen >= served.size()) served.resize(*chosen + 1);
    ++served[*chosen];
  }
  return text;
}

}  // namespace

TEST_CASE("what each policy gives after identical requests run out") {
  struct Row {
    SequencePolicy policy;
    std::string of_three;
    const char* of_one;
    bool one_needs_cursor;
    bool three_need_cursor;
  };
  const Row rows[] = {
      {SequencePolicy::sticky, "0 1 2 2 2 2 2", "0 0 0", false, true},
      {SequencePolicy::cycle, "0 1 2 0 1 2 0", "0 0 0", false, true},
      {SequencePolicy::error, "0 1 2 x x x x", "0 x x", true, true},
      {SequencePolicy::first, "0 0 0 0 0 0 0", "0 0 0", false, false},
      {SequencePolicy::last, "2 2 2 2 2 2 2", "0 0 0", false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.of_three);
    std::vector<std::uint32_t> served;
    CHECK(given(row.policy, {0, 1, 2}, served, 7) == row.of_three);
    served.clear();
    CHECK(given(row.policy, {0}, served, 3) == row.of_one);
    CHECK(needs_cursor(row.policy, 1) == row.one_needs_cursor);
    CHECK(needs_cursor(row.policy, 3) == row.three_need_cursor);
  }
}

TEST_CASE("requests with different conditions share the list and skip nothing") {
  struct Step {
    std::vector<std::size_t> candidates;
    const char* given;
  };
  struct Row {
    std::string name;
    SequencePolicy policy;
    std::vector<Step> steps;
  };
  const Row rows[] = {
      {"200, then 304 to the conditional one, then 200 again",
       SequencePolicy::sticky,
       {{{0, 2}, "0"}, {{0, 1, 2}, "1"}, {{0, 2}, "2"}, {{0, 1, 2}, "2"}}},
      {"JSON asked before the two PDFs that surround it",
       SequencePolicy::error,
       {{{1}, "1"}, {{0, 2}, "0"}, {{0, 2}, "2"}, {{0, 2}, "x"}, {{1}, "x"}}},
      {"cycling goes to what was served least",
       SequencePolicy::cycle,
       {{{0, 1}, "0"}, {{0}, "0"}, {{0, 1}, "1"}, {{0, 1}, "1"}, {{0, 1}, "0"}}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    std::vector<std::uint32_t> served;
    for (const auto& step : row.steps) CHECK(given(row.policy, step.candidates, served, 1) == step.given);
  }
}

}  // namespace tapedeck
