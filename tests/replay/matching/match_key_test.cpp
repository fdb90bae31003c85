#include "replay/matching/match_key.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "tests/support/exchange_builder.hpp"

namespace tapedeck {

using test::ExchangeBuilder;

namespace {

Profile roaring() {
  Profile profile;
  profile.name = "roaring";
  profile.hosts = {"api.roaring.io"};
  profile.matching = {
      {MatchRule::Kind::ignore_form, "client_id", "POST", "/token"},
      {MatchRule::Kind::ignore_form, "client_secret", "POST", "/token"},
      {MatchRule::Kind::ignore_query, "requestKey", "", "/se/*"},
      {MatchRule::Kind::ignore_json, "requestKey", "", ""},
  };
  return profile;
}

MatchKey key_of(const ExchangeBuilder& builder) {
  return MatchKeyMaker({roaring()}).make(builder.build().request);
}

ExchangeBuilder get(std::string_view target) {
  return ExchangeBuilder("GET", target);
}
ExchangeBuilder post(std::string_view target) {
  return ExchangeBuilder("POST", target);
}

ExchangeBuilder gzipped_json(std::string_view json) {
  auto builder = post("/x");
  builder.request_json(encode_content(ContentCoding::gzip, json)).request_header("Content-Encoding", "gzip");
  return builder;
}

}  // namespace

TEST_CASE("requests that mean the same have one key") {
  struct Row {
    std::string name;
    ExchangeBuilder left;
    ExchangeBuilder right;
  };
  const Row rows[] = {
      {"the order of the query", get("/x?a=1&b=2"), get("/x?b=2&a=1")},
      {"an empty query", get("/x?"), get("/x")},
      {"brackets in the query", get("/x?c%5B%5D=1"), get("/x?c[]=1")},
      {"escapes in the path", get("/%7Ex/%c3%a5"), get("/~x/%C3%A5")},
      {"headers do not matter", get("/x").request_header("Authorization", "Bearer 1").request_header("Date", "now"),
       get("/x").request_header("User-Agent", "me")},
      {"the order of members", post("/x").request_json(R"({"a":1,"b":2})"),
       post("/x").request_json(R"({"b":2,"a":1.0})")},
      {"JSON of another media type", post("/x").request_json(R"({"a":1})"),
       post("/x").request_body("application/vnd.api+JSON; charset=utf-8", R"({ "a" : 1 })")},
      {"the order of a form", post("/x").request_form("a=1&b=2"), post("/x").request_form("b=2&a=1")},
      {"a coded body", post("/x").request_json(R"({"a":1})"), gzipped_json(R"({"a": 1})")},
      {"bytes of another media type", post("/x").request_body("text/plain", "hello"),
       post("/x").request_body("application/octet-stream", "hello")},
      {"an ignored query key", get("/se/search?from=0&requestKey=abc"), get("/se/search?from=0&requestKey=def")},
      {"an ignored query key that is not there", get("/se/search?from=0&requestKey=abc"), get("/se/search?from=0")},
      {"an ignored member", post("/x").request_json(R"({"a":1,"requestKey":"r"})"),
       post("/x").request_json(R"({"a":1})")},
      {"a token by Basic and by form",
       post("/token").request_header("Authorization", "Basic eDp5").request_form("grant_type=client_credentials"),
       post("/token").request_form("client_id=i&client_secret=s&grant_type=client_credentials")},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(key_of(row.left) == key_of(row.right));
    CHECK(key_of(row.left).text() == key_of(row.right).text());
  }
}

TEST_CASE("requests that differ have different keys") {
  struct Row {
    std::string name;
    ExchangeBuilder left;
    ExchangeBuilder right;
  };
  const Row rows[] = {
      {"scheme", get("/x"), get("/x").origin("http", "api.roaring.io", 443)},
      {"host", get("/x"), get("/x").origin("https", "backend.roaring.io", 443)},
      {"port", get("/x"), get("/x").origin("https", "api.roaring.io", 8443)},
      {"method", get("/x"), post("/x")},
      {"case of the method", get("/x"), ExchangeBuilder("get", "/x")},
      {"path", get("/x"), get("/y")},
      {"case of the path", get("/x"), get("/X")},
      {"trailing slash", get("/x"), get("/x/")},
      {"double slash", get("/x/y"), get("/x//y")},
      {"an escaped slash", get("/x/y"), get("/x%2Fy")},
      {"a value of the query", get("/x?companyId=1"), get("/x?companyId=2")},
      {"how often a value is there", get("/x?a=1"), get("/x?a=1&a=1")},
      {"no value and the empty value", get("/x?a"), get("/x?a=")},
      {"a query in the path", get("/x?a=1"), get("/x%3Fa=1")},
      {"a range", get("/x"), get("/x").request_header("Range", "bytes=0-9")},
      {"two ranges", get("/x").request_header("Range", "bytes=0-8"), get("/x").request_header("Range", "bytes=0-9")},
      {"the order of an array", post("/x").request_json("[1,2]"), post("/x").request_json("[2,1]")},
      {"large numbers", post("/x").request_json("12345678901234567890"),
       post("/x").request_json("12345678901234567891")},
      {"a number and a string", post("/x").request_json("1"), post("/x").request_json("\"1\"")},
      {"no body and an empty object", post("/x"), post("/x").request_json("{}")},
      {"JSON and the same bytes as text", post("/x").request_json("{}"), post("/x").request_body("text/plain", "{}")},
      {"bytes", post("/x").request_body("text/plain", "a"), post("/x").request_body("text/plain", "b")},
      {"a form and the same bytes as text", post("/x").request_form("a=1"),
       post("/x").request_body("text/plain", "a=1")},
      {"a key that is ignored on other paths", get("/no/search?requestKey=a"), get("/no/search?requestKey=b")},
      {"a key that is ignored with other methods", ExchangeBuilder("PUT", "/token").request_form("client_id=a"),
       ExchangeBuilder("PUT", "/token").request_form("client_id=b")},
      {"a key that another host's profile ignores",
       post("/x").origin("https", "other.io", 443).request_json(R"({"requestKey":1})"),
       post("/x").origin("https", "other.io", 443).request_json(R"({"requestKey":2})")},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK_FALSE(key_of(row.left) == key_of(row.right));
    CHECK(key_of(row.left).text() != key_of(row.right).text());
  }
}

TEST_CASE("the fields of a key") {
  const auto key =
      key_of(post("/a/../b?q=1+2&b").request_json(R"({"b":1,"a":"å"})").request_header("range", "bytes=1-"));
  CHECK(key.origin == "https://api.roaring.io");
  CHECK(key.method == "POST");
  CHECK(key.path == "/b");
  CHECK(key.query == std::vector<std::string>{"b", "q=1%202"});
  CHECK(key.range == "bytes=1-");
  CHECK(key.body_kind == "json");
  CHECK(key.body == R"({"a":"å","b":1})");
  CHECK(key.request_line() == "POST https://api.roaring.io/b?b&q=1%202");

  CHECK(key_of(get("/x")).body_kind == "");
  const auto all_ignored = key_of(post("/token").request_form("client_id=a"));
  CHECK(all_ignored.body_kind == "form");
  CHECK(all_ignored.body == "");
  CHECK(key_of(post("/x").request_body("text/plain", "abc")).body ==
        "sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, 3 bytes");
}

TEST_CASE("bodies that are not what they say are compared byte by byte") {
  CHECK(key_of(post("/x").request_json("{oops")).body_kind == "bytes");
  CHECK(key_of(post("/x").request_json("{}").request_header("Content-Encoding", "gzip")).body_kind == "bytes");
  CHECK(key_of(post("/x").request_json("{}").request_header("Content-Encoding", "br")).body_kind == "bytes");
  CHECK(key_of(post("/x").request_json("{}").request_header("Content-Encoding", "identity")).body_kind == "json");

  auto kept_without_coding = post("/x").request_json("{}").request_header("Content-Encoding", "gzip");
  kept_without_coding.raw().request.body.form = BodyForm::identity;
  CHECK(key_of(kept_without_coding).body_kind == "json");

  auto coded_twice = gzipped_json("{}").request_header("Content-Encoding", "gzip");
  CHECK(key_of(coded_twice).body_kind == "bytes");
}

TEST_CASE("a long body is known by its digest, still by value") {
  const std::string filler(70'000, 'x');
  const auto left = key_of(post("/x").request_json(R"({"a":1,"b":")" + filler + "\"}"));
  const auto right = key_of(post("/x").request_json(R"({"b":")" + filler + R"(","a":1.0})"));
  CHECK(left.body_kind == "json");
  CHECK(left.body.size() < 200);
  CHECK(left == right);
  CHECK_FALSE(left == key_of(post("/x").request_json(R"({"a":2,"b":")" + filler + "\"}")));
}

TEST_CASE("the text of a key tells every two keys apart and gives the key back") {
  const MatchKey plain{"https://a", "GET", "/", {"a=1"}, "", "", ""};
  const MatchKey keys[] = {
      plain,
      {"https://a", "GET", "/", {}, "", "", ""},
      {"https://a", "GET", "/", {"a=1", "a=1"}, "", "", ""},
      {"https://a", "GET", "/\nquery a=1", {}, "", "", ""},
      {"https://a", "GET", "/\\nquery a=1", {}, "", "", ""},
      {"https://a", "GET\nquery a=1", "/", {}, "", "", ""},
      {"https://a", "GET", "/", {"a=1"}, "x\nbody-kind form", "", ""},
      {"https://a", "GET", "/", {"a=1"}, "x", "form", ""},
      {"https://a", "GET", "/", {"a=1"}, "", "form", ""},
      {"https://a", "GET", "/", {"a=1"}, "", "json", "\"\\\\u000a\""},
      {"https://a", "GET", "/", {"a=1"}, "", "json", "\"\\u000a\""},
      {"https://a", "GET", "/", {""}, "", "", ""},
  };
  for (const auto& left : keys) {
    CAPTURE(left.text());
    CHECK(MatchKey::of_text(left.text()) == left);
    for (const auto& right : keys) CHECK((left == right) == (left.text() == right.text()));
  }
  CHECK(plain.text().starts_with(key_text_prefix(plain, SharedFields::origin)));
  CHECK(plain.text().starts_with(key_text_prefix(plain, SharedFields::origin_and_path)));
  CHECK(plain.text().starts_with(key_text_prefix(plain, SharedFields::origin_path_and_method)));
}

TEST_CASE("the order of query and form never matters, any changed value does") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> pairs;
    const auto count = 1 + random() % 6;
    for (std::size_t i = 0; i < count; ++i) {
      pairs.push_back("k" + std::to_string(random() % 3) + "=" + std::to_string(random() % 100));
    }
    const auto joined = [](const std::vector<std::string>& parts) {
      std::string text;
      for (const auto& part : parts) text += (text.empty() ? "" : "&") + part;
      return text;
    };
    auto shuffled = pairs;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    auto changed = shuffled;
    changed[random() % count] += "changed";
    CHECK(key_of(get("/x?" + joined(pairs))) == key_of(get("/x?" + joined(shuffled))));
    CHECK_FALSE(key_of(get("/x?" + joined(pairs))) == key_of(get("/x?" + joined(changed))));
    CHECK(key_of(post("/x").request_form(joined(pairs))) == key_of(post("/x").request_form(joined(shuffled))));
    CHECK_FALSE(key_of(post("/x").request_form(joined(pairs))) == key_of(post("/x").request_form(joined(changed))));
  }
}

}  // namespace tapedeck
