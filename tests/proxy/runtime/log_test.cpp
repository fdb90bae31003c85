#include "proxy/runtime/log.hpp"

#include <doctest/doctest.h>

using tapedeck::Log;

namespace {

std::string logged(bool json, int verbosity, void (*speak)(Log&)) {
  std::string out;
  Log log(json, verbosity, [&out](std::string_view line) { out += line; });
  speak(log);
  return out;
}

void say_all(Log& log) {
  log.verbose("v");
  log.info("i");
  log.warning("w");
  log.error("e");
}

}  // namespace

TEST_CASE("verbosity decides which levels are said") {
  CHECK(logged(false, -1, say_all) == "tapedeck: warning: w\ntapedeck: error: e\n");
  CHECK(logged(false, 0, say_all) == "tapedeck: i\ntapedeck: warning: w\ntapedeck: error: e\n");
  CHECK(logged(false, 1, say_all) == "tapedeck: v\ntapedeck: i\ntapedeck: warning: w\ntapedeck: error: e\n");
}

TEST_CASE("control characters do not reach a terminal") {
  CHECK(logged(false, 0, [](Log& log) { log.info("a\x1b[2Jb\nc\x7f"); }) == "tapedeck: a\\x1b[2Jb\\x0ac\\x7f\n");
  CHECK(logged(false, 0, [](Log& log) { log.block("one\ntwo\r"); }) == "tapedeck: one\ntwo\\x0d\n");
  CHECK(logged(false, 0, [](Log& log) { log.info("å"); }) == "tapedeck: å\n");
}

TEST_CASE("as JSON each line is one object, whatever bytes it has") {
  const auto line = logged(true, 0, [](Log& log) { log.error("bad \xff byte"); });
  CHECK(line.find("\"level\":\"error\",\"message\":\"bad \xEF\xBF\xBD byte\"}\n") != std::string::npos);
}

TEST_CASE("nothing but plain text passes: C1 controls, broken UTF-8 and text that changes direction are escaped") {
  CHECK(logged(false, 0, [](Log& log) {
          log.info(
              "\xc2\x9b"
              "2J \xff \xe2\x80\xae");
        }) == "tapedeck: \\u009b2J \\xff \\u202e\n");
}
