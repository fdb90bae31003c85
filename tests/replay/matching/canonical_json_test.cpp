#include "replay/matching/canonical_json.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "storage/redaction/json_tokens.hpp"

namespace tapedeck {

TEST_CASE("canonical JSON: one text a value") {
  struct Row {
    std::string name;
    const char* text;
    const char* canonical;
  };
  const Row rows[] = {
      {"members by key", R"({ "b" : 1, "a" : [ ] })", R"({"a":[],"b":1})"},
      {"members by key, however it is escaped", R"({"b":1,"\u0061":2})", R"({"a":2,"b":1})"},
      {"nested objects", R"({"z":{"y":1,"x":{"b":null,"a":true}}})", R"({"z":{"x":{"a":true,"b":null},"y":1}})"},
      {"equal keys all stay, in their order", R"({"b":0,"a":2,"a":1})", R"({"a":2,"a":1,"b":0})"},
      {"arrays in order", "[3, 1, 2]", "[3,1,2]"},
      {"strings are escaped in one way", R"("\u00e5\/\n\u0022\\A")", "\"å/\\u000a\\\"\\\\A\""},
      {"a pair of surrogates is one character", R"("\ud83d\ude00")", "\"\xf0\x9f\x98\x80\""},
      {"raw and escaped letters are equal", "\"Å\"", "\"Å\""},
      {"a number inside", R"({"n":1.50})", R"({"n":1.5})"},
      {"a literal", " true ", "true"},
      {"the empty object", "{}", "{}"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto canonical = canonical_json(row.text);
    REQUIRE(canonical.has_value());
    CHECK(*canonical == row.canonical);
    CHECK(canonical_json(*canonical) == canonical);
  }
}

TEST_CASE("canonical JSON: what is not JSON has none") {
  for (const std::string text :
       {"", "{", "{\"a\":1,}", "[1 2]", "nul", "'a'", "{\"a\":1}x", "\xef\xbb\xbf{}", "01", "1."}) {
    CAPTURE(text);
    CHECK_FALSE(canonical_json(text).has_value());
  }
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(canonical_json(nested(JsonTokenizer::depth_max)).has_value());
  CHECK_FALSE(canonical_json(nested(JsonTokenizer::depth_max + 1)).has_value());
}

TEST_CASE("canonical JSON: ignored members go at any depth") {
  const std::vector<std::string> ignored = {"requestKey"};
  CHECK(canonical_json(R"({"requestKey":"x","a":[{"requestKey":{"b":1},"c":2}]})", ignored) == R"({"a":[{"c":2}]})");
  CHECK(canonical_json(R"(["requestKey",{"RequestKey":1}])", ignored) == R"(["requestKey",{"RequestKey":1}])");
}

TEST_CASE("numbers are compared by their exact value") {
  struct Row {
    std::string raw;
    const char* canonical;
  };
  const Row rows[] = {
      {"1", "1"},
      {"1.0", "1"},
      {"10e-1", "1"},
      {"0.1E1", "1"},
      {"1e0", "1"},
      {"100", "100"},
      {"1e2", "100"},
      {"1E+2", "100"},
      {"-0", "0"},
      {"0.000", "0"},
      {"0e99999999999999999999", "0"},
      {"-0.0e-5", "0"},
      {"-1.50", "-1.5"},
      {"12345678901234567890", "12345678901234567890"},
      {"12345678901234567891", "12345678901234567891"},
      {"9007199254740993", "9007199254740993"},
      {"0.1", "0.1"},
      {"1e-1", "0.1"},
      {"0.10000000000000000001", "0.10000000000000000001"},
      {"123.456e1", "1234.56"},
      {"0.000001", "0.000001"},
      {"1e-7", "1e-7"},
      {"0.00000012", "1.2e-7"},
      {"1e39", "1000000000000000000000000000000000000000"},
      {"1e40", "1e40"},
      {"10e39", "1e40"},
      {"1.5e400", "1.5e400"},
      {"15e399", "1.5e400"},
      {"1e00000000000000000000002", "100"},
      {"1e123456789012345678", "1e123456789012345678"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.raw);
    CHECK(canonical_json_number(row.raw) == row.canonical);
    CHECK(canonical_json_number(row.canonical) == row.canonical);
  }
}

TEST_CASE("canonical JSON: the order of members never matters, any changed value does") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto text_of = [](const std::vector<std::pair<std::string, std::string>>& members) {
    std::string text = "{";
    for (const auto& [key, value] : members) text += (text.size() > 1 ? ",\"" : "\"") + key + "\": " + value;
    return text + "}";
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::string, std::string>> members;
    const auto count = 1 + random() % 8;
    for (std::size_t i = 0; i < count; ++i) {
      const auto number = std::to_string(random() % 1000);
      const std::string values[] = {number, "\"" + number + "\"", "[" + number + ", null]", "{\"x\":" + number + "}"};
      members.emplace_back("key" + std::to_string(i), values[random() % 4]);
    }
    const auto canonical = canonical_json(text_of(members));
    REQUIRE(canonical.has_value());
    auto shuffled = members;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    CHECK(canonical_json(text_of(shuffled)) == canonical);
    auto changed = shuffled;
    changed[random() % count].second = "\"another value\"";
    CHECK(canonical_json(text_of(changed)) != canonical);
  }
}

}  // namespace tapedeck
