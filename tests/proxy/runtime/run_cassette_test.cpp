#include "proxy/runtime/run_cassette.hpp"

#include <string_view>

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("A take replaces the cassette only when it is whole and worth it") {
  struct Row {
    const char* name;
    std::uint64_t recorded;
    std::uint64_t network_failures;
    const char* recording_failure;
    bool has_old;
    bool went_well;
    std::string_view objection;
  };
  for (const Row& row : {
           Row{"all well", 3, 0, "", true, true, ""},
           Row{"one failure among answers", 3, 1, "", true, true, ""},
           Row{"nothing came", 0, 0, "", true, true, "nothing was recorded"},
           Row{"nothing came and the command failed", 0, 0, "", true, false, "nothing was recorded"},
           Row{"the upstream was away", 2, 2, "", true, true, "every exchange was a network failure"},
           Row{"the command failed", 3, 0, "", true, false, "the command failed"},
           Row{"one could not be kept", 3, 0, "disk full", true, true, "not every exchange could be kept"},
           Row{"there was none: nothing came", 0, 0, "", false, true, ""},
           Row{"there was none: the command failed", 3, 0, "", false, false, ""},
           Row{"there was none: one could not be kept", 3, 0, "disk full", false, true,
               "not every exchange could be kept"},
       }) {
    CAPTURE(row.name);
    RunStatistics::Snapshot take;
    take.recorded = row.recorded;
    take.network_failures = row.network_failures;
    take.recording_failure = row.recording_failure;
    CHECK(objection_to(take, row.has_old, row.went_well) == row.objection);
  }
}
