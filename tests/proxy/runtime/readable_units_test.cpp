#include "proxy/runtime/readable_units.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("times are shown in UTC") {
  struct Row {
    std::int64_t time_us;
    const char* text;
  };
  const Row rows[] = {
      {0, "1970-01-01T00:00:00.000Z"},         {1'795'471'023'123'999, "2026-11-23T21:57:03.123Z"},
      {-1, "1969-12-31T23:59:59.999Z"},        {INT64_MAX, "1970-01-01T00:00:00.000Z"},
      {INT64_MIN, "1970-01-01T00:00:00.000Z"}, {253'402'300'799'999'999, "9999-12-31T23:59:59.999Z"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.time_us);
    CHECK(rfc3339_text(row.time_us) == row.text);
  }
  CHECK(short_time_text(1'500'000) == "1970-01-01 00:00:01");
}

TEST_CASE("durations and sizes have three digits at most") {
  CHECK(duration_text(-5) == "-");
  CHECK(duration_text(0) == "0 us");
  CHECK(duration_text(999) == "999 us");
  CHECK(duration_text(1'000) == "1.0 ms");
  CHECK(duration_text(12'345) == "12 ms");
  CHECK(duration_text(999'499) == "999 ms");
  CHECK(duration_text(999'500) == "1.0 s");
  CHECK(duration_text(61'000'000) == "61 s");
  CHECK(size_text(0) == "0 B");
  CHECK(size_text(999) == "999 B");
  CHECK(size_text(1'234) == "1.2 kB");
  CHECK(size_text(999'499) == "999 kB");
  CHECK(size_text(999'500) == "1.0 MB");
  CHECK(size_text(3'400'000'000) == "3.4 GB");
}
