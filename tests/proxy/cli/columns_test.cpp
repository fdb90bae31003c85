#include "proxy/cli/columns.hpp"

#include <unistd.h>

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("text fills its columns, counted in letters") {
  CHECK(in_columns("ab", 4) == "ab  ");
  CHECK(in_columns("ab", 4, Align::right) == "  ab");
  CHECK(in_columns("åäö", 4) == "åäö ");
  CHECK(in_columns("abcde", 4) == "abc…");
  CHECK(in_columns("åäöåä", 4) == "åäö…");
  CHECK(in_columns("abcd", 4) == "abcd");
  CHECK(in_columns("", 2) == "  ");
}

TEST_CASE("a line is cut only where there is a limit") {
  CHECK(cut_to("abcdef", 0) == "abcdef");
  CHECK(cut_to("abcdef", 6) == "abcdef");
  CHECK(cut_to("abcdef", 5) == "abcd…");
  CHECK(cut_to("abcdef", 1) == "…");
}

TEST_CASE("a pipe is no terminal") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK(terminal_columns(ends[1]) == 0);
  close(ends[0]);
  close(ends[1]);
}
