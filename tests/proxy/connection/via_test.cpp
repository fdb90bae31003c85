#include "proxy/connection/via.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("a request that came through this run before is known by its Via") {
  struct Row {
    const char* name;
    std::vector<HeaderView> fields;
    bool passed;
  };
  const Row rows[] = {
      {"no Via", {{"Host", "tapedeck-00c0ffee"}}, false},
      {"another proxy's", {{"Via", "1.1 squid"}}, false},
      {"another run's", {{"Via", "1.1 tapedeck-00c0ffef"}}, false},
      {"ours", {{"Via", "1.1 tapedeck-00c0ffee"}}, true},
      {"ours in another case of the name", {{"vIA", "1.1 tapedeck-00c0ffee"}}, true},
      {"ours among others", {{"Via", "1.0 fred, 1.1 tapedeck-00c0ffee (a comment), 1.1 squid"}}, true},
      {"ours in a later field", {{"Via", "1.1 squid"}, {"Via", "HTTP/1.1 tapedeck-00c0ffee"}}, true},
      {"in another field", {{"X-Via", "1.1 tapedeck-00c0ffee"}}, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    ScannedHead head;
    head.fields = row.fields;
    CHECK(has_passed_here(head, "tapedeck-00c0ffee") == row.passed);
  }
}
