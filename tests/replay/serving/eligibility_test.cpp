#include "replay/serving/eligibility.hpp"

#include <doctest/doctest.h>

namespace tapedeck {

TEST_CASE("the conditions of a request") {
  CHECK_FALSE(conditions_of({{"Accept", "*/*"}}).is_conditional());
  for (const std::string name : {"If-None-Match", "if-modified-since", "IF-MATCH", "If-Unmodified-Since"}) {
    CAPTURE(name);
    CHECK(conditions_of({{name, "x"}}).is_conditional());
    CHECK(conditions_of({{name, ""}}).is_conditional());
  }
  CHECK_FALSE(conditions_of({{"If-Range", "x"}}).is_conditional());
  CHECK(conditions_of({{"range", "bytes=0-"}}).range);
  CHECK_FALSE(conditions_of({{"Accept-Ranges", "bytes"}}).range);
  CHECK(conditions_of({{"Accept", "a/b"}, {"accept", "c/d"}}).accept == "a/b, c/d");
  CHECK(conditions_of({{"Accept-Encoding", "gzip"}, {"Accept-Encoding", "br"}}).accept_encoding == "gzip, br");
}

TEST_CASE("validators are compared by value, whatever the order and case of their names") {
  const auto validators = [](const Headers& headers) { return conditions_of(headers).validators; };
  CHECK(validators({{"If-None-Match", "\"1\""}, {"If-Modified-Since", "now"}}) ==
        validators({{"if-modified-since", "now"}, {"IF-NONE-MATCH", "\"1\""}}));
  CHECK(validators({{"If-None-Match", "\"1\", \"2\""}}) ==
        validators({{"If-None-Match", "\"1\""}, {"Accept", "*/*"}, {"If-None-Match", "\"2\""}}));
  CHECK(validators({{"If-None-Match", "\"1\""}}) != validators({{"If-None-Match", "\"2\""}}));
  CHECK(validators({{"If-None-Match", "\"1\""}}) != validators({{"If-Match", "\"1\""}}));
}

TEST_CASE("which statuses may answer") {
  struct Row {
    int status;
    bool plain;
    bool conditional;
    bool range;
  };
  const Row rows[] = {
      {0, true, true, true},     {200, true, true, true},   {404, true, true, true},   {416, true, true, true},
      {304, false, true, false}, {412, false, true, false}, {206, false, false, true},
  };
  RequestConditions conditional;
  conditional.validators = "If-None-Match: x\n";
  RequestConditions range;
  range.range = true;
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CHECK(is_eligible(row.status, {}) == row.plain);
    CHECK(is_eligible(row.status, conditional) == row.conditional);
    CHECK(is_eligible(row.status, range) == row.range);
  }
}

TEST_CASE("what Accept allows") {
  struct Row {
    std::string accept;
    std::string media_type;
    bool allowed;
  };
  const Row rows[] = {
      {"", "application/json", true},
      {"*/*", "application/json", true},
      {"application/json", "application/json", true},
      {"Application/JSON; charset=utf-8", "application/json", true},
      {"application/json", "application/pdf", false},
      {"application/*", "application/pdf", true},
      {"app/*", "application/pdf", false},
      {"text/html, */*;q=0.1", "application/pdf", true},
      {"application/pdf;q=0, */*", "application/pdf", false},
      {"*/*, application/pdf;q=0.000", "application/pdf", false},
      {"application/*;q=0, application/pdf", "application/pdf", true},
      {"application/*;q=0, application/pdf", "application/json", false},
      {"application/pdf; q=0.001", "application/pdf", true},
      {"application/pdf", "", true},
      {",;,", "application/pdf", false},
      {"*", "application/pdf", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.accept);
    CAPTURE(row.media_type);
    CHECK(accept_allows(row.accept, row.media_type) == row.allowed);
  }
}

TEST_CASE("what Accept-Encoding allows") {
  struct Row {
    std::string accept_encoding;
    std::string coding;
    bool allowed;
  };
  const Row rows[] = {
      {"", "", true},           {"", "gzip", false},         {"gzip, deflate", "gzip", true},
      {"GZIP", "gzip", true},   {"gzip;q=0", "gzip", false}, {"*", "gzip", true},
      {"*;q=0", "gzip", false}, {"*;q=0", "", false},        {"identity;q=0", "identity", false},
      {"br", "gzip", false},    {"br", "identity", true},    {"*;q=0, gzip", "gzip", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.accept_encoding);
    CAPTURE(row.coding);
    CHECK(accept_encoding_allows(row.accept_encoding, row.coding) == row.allowed);
  }
}

TEST_CASE("the media type weighs more than the coding, and the same question gets the same answer") {
  const Negotiation gzipped_json{"*/*", "gzip", "", "application/json", "gzip"};
  const auto preference = [&](const char* accept, const char* accept_encoding) {
    RequestConditions conditions;
    conditions.accept = accept;
    conditions.accept_encoding = accept_encoding;
    return preference_of(gzipped_json, conditions);
  };
  CHECK(preference("*/*", "gzip") == 0);
  CHECK(preference("*/*", "gzip") < preference("*/*", ""));
  CHECK(preference("*/*", "") < preference("application/pdf", "gzip, br"));
  CHECK(preference("application/pdf", "gzip, br") < preference("application/pdf", ""));

  const Negotiation pending{"application/pdf", "", "", "application/json", ""};
  RequestConditions same;
  same.accept = "application/pdf";
  CHECK(preference_of(pending, same) == 0);
}

TEST_CASE("a condition weighs less than type and coding; the very same one is nearest") {
  const auto preference = [](const char* recorded, const char* asked) {
    const Negotiation negotiation{"*/*", "", recorded, "application/json", ""};
    RequestConditions conditions;
    conditions.accept = "*/*";
    conditions.validators = asked;
    return preference_of(negotiation, conditions);
  };
  CHECK(preference("", "") == 0);
  CHECK(preference("one", "one") == 0);
  CHECK(preference("one", "one") < preference("two", "one"));
  CHECK(preference("two", "one") < preference("", "one"));
  CHECK(preference("one", "") == preference("", "one"));

  const Negotiation other_coding{"*/*", "gzip", "one", "application/json", "gzip"};
  const Negotiation other_type{"text/html", "", "one", "text/html", ""};
  RequestConditions conditions;
  conditions.accept = "application/json";
  conditions.validators = "one";
  const Negotiation unconditional{"*/*", "", "", "application/json", ""};
  CHECK(preference_of(unconditional, conditions) < preference_of(other_coding, conditions));
  CHECK(preference_of(other_coding, conditions) < preference_of(other_type, conditions));
}

}  // namespace tapedeck
