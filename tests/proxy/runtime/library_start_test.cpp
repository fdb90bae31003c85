#include "proxy/runtime/library_start.hpp"

#include <doctest/doctest.h>

namespace tapedeck {

TEST_CASE("the bar says how much is done, whatever the counts") {
  struct Row {
    std::uint64_t done;
    std::uint64_t total;
    std::string_view bar;
  };
  const Row rows[] = {
      {0, 1000, "  [>                             ]   0 % of 1000 exchanges indexed"},
      {499, 1000, "  [==============>               ]  49 % of 1000 exchanges indexed"},
      {1000, 1000, "  [==============================] 100 % of 1000 exchanges indexed"},
      {1001, 1000, "  [==============================] 100 % of 1000 exchanges indexed"},
      {0, 0, "  [==============================] 100 % of 0 exchanges indexed"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.done);
    CHECK(progress_bar(row.done, row.total) == row.bar);
  }
}

}  // namespace tapedeck
