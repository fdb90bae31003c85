#include "replay/matching/near_miss.hpp"

#include <doctest/doctest.h>

namespace tapedeck {

namespace {

MatchKey plain() {
  return {"https://api.roaring.io", "GET", "/x", {}, "", "", ""};
}

MatchKey with_query(std::vector<std::string> query) {
  auto key = plain();
  key.query = std::move(query);
  return key;
}

MatchKey with_body(std::string kind, std::string body) {
  auto key = plain();
  key.body_kind = std::move(kind);
  key.body = std::move(body);
  return key;
}

std::string told(const FieldDifference& difference) {
  const auto side = [](bool present, const std::string& text) { return present ? "<" + text + ">" : "-"; };
  return difference.field + ": " + side(difference.recorded_present, difference.recorded) + " " +
         side(difference.requested_present, difference.requested);
}

}  // namespace

TEST_CASE("differences are named field by field") {
  struct Row {
    std::string name;
    MatchKey recorded;
    MatchKey requested;
    std::vector<std::string> differences;
  };
  auto another_origin = plain();
  another_origin.origin = "http://api.roaring.io";
  another_origin.method = "PUT";
  another_origin.path = "/y";
  auto ranged = plain();
  ranged.range = "bytes=0-9";
  const Row rows[] = {
      {"nothing", plain(), plain(), {}},
      {"origin, method, path",
       plain(),
       another_origin,
       {"origin: <https://api.roaring.io> <http://api.roaring.io>", "method: <GET> <PUT>", "path: </x> </y>"}},
      {"a value of the query",
       with_query({"companyId=1", "z=1"}),
       with_query({"companyId=2", "z=1"}),
       {"query companyId: <1> <2>"}},
      {"only recorded", with_query({"a=1"}), plain(), {"query a: <1> -"}},
      {"only requested", plain(), with_query({"a=1", "b"}), {"query a: - <1>", "query b: - <(no value)>"}},
      {"a multiset",
       with_query({"r=8", "r=8", "r=9"}),
       with_query({"r=7", "r=8"}),
       {"query r: <8> <7>", "query r: <9> -"}},
      {"texts are decoded", with_query({"q=a%20b%26"}), with_query({"q=%C3%A5"}), {"query q: <a b&> <å>"}},
      {"what is no text is escaped", with_query({"q=%FF%00"}), with_query({"q="}), {"query q: <\\xff\\x00> <>"}},
      {"range", plain(), ranged, {"header Range: - <bytes=0-9>"}},
      {"a member",
       with_body("json", R"({"a":1,"b":{"c":[1,2]}})"),
       with_body("json", R"({"a":1,"b":{"c":[1,3]}})"),
       {"body $.b.c[1]: <2> <3>"}},
      {"members and elements that one side lacks",
       with_body("json", R"({"a":1,"c":[1]})"),
       with_body("json", R"({"b":"x","c":[1,2]})"),
       {"body $.a: <1> -", "body $.b: - <\"x\">", "body $.c[1]: - <2>"}},
      {"another kind of value",
       with_body("json", R"({"a":[1]})"),
       with_body("json", R"({"a":{"b":1}})"),
       {"body $.a: <[1]> <{\"b\":1}>"}},
      {"an odd key",
       with_body("json", R"({"a b":1})"),
       with_body("json", R"({"a b":2})"),
       {"body $[\"a b\"]: <1> <2>"}},
      {"the whole value", with_body("json", "1"), with_body("json", "2"), {"body $: <1> <2>"}},
      {"a form", with_body("form", "a=1&b=2"), with_body("form", "a=1&b=3&c=4"), {"form b: <2> <3>", "form c: - <4>"}},
      {"bytes",
       with_body("bytes", "sha256 aa, 1 bytes"),
       with_body("bytes", "sha256 bb, 2 bytes"),
       {"body: <sha256 aa, 1 bytes> <sha256 bb, 2 bytes>"}},
      {"long JSON by digest",
       with_body("json", "sha256 aa, 70000 bytes"),
       with_body("json", "{}"),
       {"body: <json sha256 aa, 70000 bytes> <json {}>"}},
      {"a long form by digest",
       with_body("form", "sha256 aa, 70000 bytes"),
       with_body("form", "a=1"),
       {"body: <form sha256 aa, 70000 bytes> <form a=1>"}},
      {"a part",
       with_body("multipart",
                 "part name=\"a\" sha256 aa, 1 bytes\npart name=\"b \\\"c\" type=\"x/y\" sha256 bb, 2 bytes\n"),
       with_body("multipart",
                 "part name=\"a\" sha256 aa, 1 bytes\npart name=\"b \\\"c\" type=\"x/y\" sha256 cc, 3 bytes\n"),
       {"body part \"b \\\"c\": <type=\"x/y\" sha256 bb, 2 bytes> <type=\"x/y\" sha256 cc, 3 bytes>"}},
      {"a part more",
       with_body("multipart", "part name=\"b\" sha256 bb, 2 bytes\n"),
       with_body("multipart", "part name=\"a\" sha256 aa, 1 bytes\npart name=\"b\" sha256 bb, 2 bytes\n"),
       {"body part \"a\": - <sha256 aa, 1 bytes>"}},
      {"parts of one name, and parts without",
       with_body("multipart",
                 "part name=\"a\" sha256 aa, 1 bytes\npart name=\"a\" sha256 bb, 2 bytes\npart sha256 cc, 3 bytes\n"),
       with_body("multipart", "part name=\"a\" sha256 aa, 1 bytes\npart sha256 dd, 3 bytes\n"),
       {"body part: <sha256 cc, 3 bytes> <sha256 dd, 3 bytes>", "body part \"a\": <sha256 bb, 2 bytes> -"}},
      {"the order of parts alone",
       with_body("multipart", "part name=\"a\" sha256 aa, 1 bytes\npart sha256 bb, 2 bytes\n"),
       with_body("multipart", "part sha256 bb, 2 bytes\npart name=\"a\" sha256 aa, 1 bytes\n"),
       {"body part order: <\"a\", (no name)> <(no name), \"a\">"}},
      {"many parts by digest",
       with_body("multipart", "sha256 aa, 70000 bytes"),
       with_body("multipart", ""),
       {"body: <multipart sha256 aa, 70000 bytes> <>"}},
      {"another kind of body", with_body("json", "{}"), with_body("form", "a=1"), {"body: <json {}> <form a=1>"}},
      {"no body", with_body("json", "{}"), plain(), {"body: <json {}> -"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    std::vector<std::string> differences;
    for (const auto& difference : differences_between(row.recorded, row.requested))
      differences.push_back(told(difference));
    CHECK(differences == row.differences);
  }
}

TEST_CASE("differences are bounded in number and length") {
  std::string many = "[";
  for (int i = 0; i < 80; ++i) many += std::to_string(i) + ",";
  const auto differences = differences_between(with_body("json", "[]"), with_body("json", many + "80]"));
  REQUIRE(differences.size() == differences_max);
  CHECK(differences.back().field == "32 more");
  CHECK_FALSE(differences.back().recorded_present);

  const auto long_value = differences_between(with_query({"q=" + std::string(500, 'x')}), plain());
  REQUIRE(long_value.size() == 1);
  CHECK(long_value[0].recorded == std::string(200, 'x') + "…");
}

TEST_CASE("readable texts are UTF-8 and never cut inside a character") {
  struct Row {
    std::string text;
    std::size_t bytes_max;
    const char* readable;
  };
  const Row rows[] = {
      {"åä", 200, "åä"},
      {"åä", 3, "å…"},
      {"åä", 4, "åä"},
      {"a\nb\x7f", 200, "a\\x0ab\\x7f"},
      {"\xc3", 200, "\\xc3"},
      {"\xc0\xaf", 200, "\\xc0\\xaf"},
      {"\xed\xa0\x80", 200, "\\xed\\xa0\\x80"},
      {"\xf0\x9f\x98\x80", 200, "\xf0\x9f\x98\x80"},
      {"\xf5\x80\x80\x80", 200, "\\xf5\\x80\\x80\\x80"},
      {"\xe2\x82", 200, "\\xe2\\x82"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(readable(row.text, row.bytes_max) == row.readable);
  }
}

}  // namespace tapedeck
