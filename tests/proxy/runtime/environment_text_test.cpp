#include "proxy/runtime/environment_text.hpp"

#include <cstdio>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace tapedeck;

namespace {

// What a shell makes of `text` and of the variable V then.
std::string shell_reads(const std::string& text) {
  const std::string script = text + "printf %s \"$V\"";
  std::string quoted = "'";
  for (const char c : script) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  FILE* shell = ::popen(("sh -c " + quoted + "'").c_str(), "r");
  REQUIRE(shell != nullptr);
  std::string output;
  for (int c; (c = std::fgetc(shell)) != EOF;) output += static_cast<char>(c);
  CHECK(::pclose(shell) == 0);
  return output;
}

const std::string values[] = {"plain",       "",          "two words",  "it's", "$HOME `id` $(id)", "\"quoted\"",
                              "back\\slash", "a;b&c|d>e", "two\nlines", "\\'",  "trailing\\",       "åäö",
                              "#!*?[~"};

}  // namespace

TEST_CASE("each format, by example") {
  const Environment variables = {{"A", "it's $1 \\ \"x\""}, {"B", "two\nlines"}};
  CHECK(format_environment(variables, "sh").value() == "export A='it'\\''s $1 \\ \"x\"'\nexport B='two\nlines'\n");
  CHECK(format_environment(variables, "fish").value() == "set -gx A 'it\\'s $1 \\\\ \"x\"'\nset -gx B 'two\nlines'\n");
  CHECK(format_environment(variables, "dotenv").value() == "A=\"it's \\$1 \\\\ \\\"x\\\"\"\nB=\"two\\nlines\"\n");
  CHECK(format_environment({{"A", "$x y"}}, "dotenv").value() == "A='$x y'\n");
  CHECK(format_environment(variables, "github").value() ==
        "A=it's $1 \\ \"x\"\nB<<TAPEDECK_END\ntwo\nlines\nTAPEDECK_END\n");
  CHECK(format_environment({{"A", "\nTAPEDECK_END\nEVIL=1"}}, "github").value() ==
        "A<<TAPEDECK_END_\n\nTAPEDECK_END\nEVIL=1\nTAPEDECK_END_\n");
}

TEST_CASE("a shell reads back what was written") {
  for (const std::string& value : values) {
    CAPTURE(value);
    CHECK(shell_reads(format_environment({{"V", value}}, "sh").value()) == value);
  }
}

TEST_CASE("JSON reads back what was written, and bytes that are no text do no harm") {
  for (const std::string& value : values) {
    CAPTURE(value);
    CHECK(nlohmann::json::parse(format_environment({{"V", value}}, "json").value())["V"] == value);
  }
  CHECK(nlohmann::json::accept(format_environment({{"V", "\xff"}}, "json").value()));
  CHECK(format_environment({}, "json").value() == "{}\n");
}

TEST_CASE("a name that is none is never written") {
  const Environment odd = {{"A;id", "x"}, {"", "x"}, {"1A", "x"}, {"BASH_FUNC_f%%", "() { id; }"}, {"A B", "x"}};
  for (const char* format : {"sh", "fish", "dotenv", "github"}) CHECK(format_environment(odd, format).value() == "");
  CHECK(format_environment(odd, "json").value() == "{}\n");
}

TEST_CASE("an unknown format is refused with the known ones") {
  const auto refused = format_environment({}, "cmd");
  REQUIRE(refused.has_error());
  CHECK(refused.error().detail.find("dotenv") != std::string::npos);
}
