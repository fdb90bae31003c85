#include "replay/serving/take_precedence.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

namespace tapedeck {

namespace {

Take take(std::int64_t ordinal, TakeKind kind, TakeState state, std::int64_t parent = 0) {
  Take result;
  result.ordinal = ordinal;
  result.kind = kind;
  result.state = state;
  result.parent_ordinal = parent;
  return result;
}

constexpr auto replace = TakeKind::replace;
constexpr auto extend = TakeKind::extend;
constexpr auto complete = TakeState::complete;
constexpr auto interrupted = TakeState::interrupted;
constexpr auto open = TakeState::open;

// "alice: 1 2 | default: 0", by row index.
std::string told(const std::vector<SessionSequence>& sequences) {
  std::string text;
  for (const auto& sequence : sequences) {
    text += (text.empty() ? "" : " | ") + std::string(sequence.session) + ":";
    for (const auto row : sequence.rows) text += " " + std::to_string(row);
  }
  return text;
}

}  // namespace

TEST_CASE("which recordings of a key are served, in which order") {
  struct Row {
    std::string name;
    std::vector<Take> takes;
    std::vector<PrecedenceRow> rows;  // take, session, finished number, partial
    const char* order;
  };
  const Row rows[] = {
      {"one recording", {take(1, replace, complete)}, {{1, "default", 1}}, "default: 0"},
      {"recorded order, not the order of the rows",
       {take(1, replace, complete)},
       {{1, "default", 7}, {1, "default", 3}, {1, "default", 5}},
       "default: 1 2 0"},
      {"the newest complete take wins",
       {take(1, replace, complete), take(2, replace, complete)},
       {{1, "default", 1}, {1, "default", 2}, {2, "default", 1}},
       "default: 2"},
      {"key by key: an older take still answers what newer ones lack",
       {take(1, replace, complete), take(2, replace, complete), take(3, replace, complete)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 1"},
      {"an extend take goes on where its parent ends",
       {take(1, replace, complete), take(2, extend, complete, 1)},
       {{2, "default", 1}, {1, "default", 9}},
       "default: 1 0"},
      {"a chain of extend takes",
       {take(1, replace, complete), take(2, extend, complete, 1), take(3, extend, complete, 2)},
       {{3, "default", 1}, {1, "default", 1}, {2, "default", 1}},
       "default: 1 2 0"},
      {"a newer replace take wins over a chain that was extended later",
       {take(1, replace, complete), take(2, replace, complete), take(3, extend, complete, 1)},
       {{1, "default", 1}, {2, "default", 1}, {3, "default", 1}},
       "default: 1"},
      {"an extend take without a parent stands for itself",
       {take(1, replace, complete), take(2, extend, complete, 0)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 1"},
      {"an extend take whose parent is gone stands for itself",
       {take(1, replace, complete), take(3, extend, complete, 2)},
       {{1, "default", 1}, {3, "default", 1}},
       "default: 1"},
      {"parents that point at each other end somewhere",
       {take(1, extend, complete, 2), take(2, extend, complete, 1)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 0 1"},
      {"an interrupted take does not win over a complete one",
       {take(1, replace, complete), take(2, replace, interrupted)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 0"},
      {"nor does one that is still open",
       {take(1, replace, complete), take(2, replace, open)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 0"},
      {"nor an interrupted one that extends a complete one",
       {take(1, replace, complete), take(2, extend, interrupted, 1)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 0"},
      {"an interrupted take answers what no complete one has",
       {take(1, replace, complete), take(2, replace, interrupted)},
       {{2, "default", 1}, {2, "default", 2}},
       "default: 0 1"},
      {"of two interrupted takes the newer",
       {take(1, replace, interrupted), take(2, replace, interrupted)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 1"},
      {"a complete take that extends an interrupted one",
       {take(1, replace, interrupted), take(2, extend, complete, 1)},
       {{1, "default", 1}, {2, "default", 1}},
       "default: 1"},
      {"a take that is not listed is as good as interrupted",
       {take(1, replace, complete)},
       {{1, "default", 1}, {9, "default", 1}},
       "default: 0"},
      {"sessions are kept apart, newest first",
       {take(1, replace, complete)},
       {{1, "alice", 1}, {1, "bob", 2}, {1, "alice", 3}},
       "alice: 0 2 | bob: 1"},
      {"a newer take of one session leaves the other its own",
       {take(1, replace, complete), take(2, replace, complete)},
       {{1, "alice", 1}, {1, "bob", 2}, {2, "bob", 1}},
       "bob: 2 | alice: 0"},
      {"a partial recording gives way to a whole one",
       {take(1, replace, complete)},
       {{1, "default", 1, true}, {1, "default", 2, false}},
       "default: 1"},
      {"even to a whole one of an older take",
       {take(1, replace, complete), take(2, replace, complete)},
       {{1, "default", 1, false}, {2, "default", 1, true}},
       "default: 0"},
      {"even to a whole one of another session",
       {take(1, replace, complete)},
       {{1, "alice", 1, true}, {1, "bob", 2, false}},
       "bob: 1"},
      {"a partial recording is served when there is no other",
       {take(1, replace, complete)},
       {{1, "default", 1, true}, {1, "default", 2, true}},
       "default: 0 1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(told(serving_order(TakeLineage(row.takes), row.rows)) == row.order);
    auto turned = row.takes;
    std::reverse(turned.begin(), turned.end());
    CHECK(told(serving_order(TakeLineage(turned), row.rows)) == row.order);
  }
}

}  // namespace tapedeck
