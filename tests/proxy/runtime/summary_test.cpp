#include "proxy/runtime/summary.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::string said_of(const std::optional<ScanTotals>& scanned) {
  Options options;
  options.mode = Mode::record;
  options.cassette = "a.cassette";
  RunStatistics::Snapshot statistics;
  statistics.requests = statistics.recorded = 3;
  return summary_text(SummaryInput{options, statistics, {}, {}, scanned});
}

}  // namespace

TEST_CASE("a recording says what looks like a secret, and how to look at it, or nothing") {
  const std::string silent = said_of(std::nullopt);
  const std::string command = "tapedeck scan -c a.cassette\n";
  struct Row {
    const char* name;
    ScanTotals scanned;
    std::string added;
  };
  const Row rows[] = {
      {"clean", {3, 0, 0, false}, ""},
      {"warnings alone", {3, 0, 9, false}, ""},
      {"one", {3, 1, 0, false}, "  1 value looks like a secret; look at it with: " + command},
      {"two", {3, 2, 1, false}, "  2 values look like secrets; look at them with: " + command},
      {"not all was read",
       {1, 0, 0, true},
       "  only 1 exchange was looked through for secrets; look through all with: " + command},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(said_of(row.scanned) == silent + row.added);
  }
}

TEST_CASE("a run without requests says what it saw instead, and advises only where it saw nothing") {
  const std::string advice = "the command may ignore proxies";
  RunStatistics::Snapshot nothing;
  auto refused = nothing;
  refused.refusals = 1;
  refused.first_refusal = "no API is named; start with --upstream URL";
  auto refused_twice = refused;
  refused_twice.refusals = 2;
  auto tunnelled = nothing;
  tunnelled.tunnels["other.example:443"] = 1;
  struct Row {
    const char* name;
    RunStatistics::Snapshot statistics;
    bool advises;
    std::string said;
  };
  const Row rows[] = {
      {"nothing", nothing, true, "not one request came"},
      {"refused", refused, false, "1 request was refused: no API is named; start with --upstream URL\n"},
      {"refused twice", refused_twice, false, "2 requests were refused, the first: no API is named;"},
      {"tunnelled", tunnelled, false, "not recorded: 1 tunnel to other.example:443"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Options options;
    options.mode = Mode::replay;
    options.command = {"make", "test"};
    const auto said = summary_text(SummaryInput{options, row.statistics, {}, {}, {}});
    CHECK((said.find(advice) != std::string::npos) == row.advises);
    CHECK(said.find(row.said) != std::string::npos);
  }
}
