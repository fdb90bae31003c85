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

// Each `|` of the parts is a delimiter line; the last is the closing one.
ExchangeBuilder multipart(std::string_view parts, const std::string& boundary = "b",
                          const std::string& type = "multipart/form-data") {
  std::string body;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != '|') {
      body += parts[i];
      continue;
    }
    if (!body.empty()) body += "\r\n";
    body += "--" + boundary + (i + 1 == parts.size() ? "--\r\n" : "\r\n");
  }
  return post("/x").request_body(type + "; boundary=" + boundary, body);
}

const std::string file_part =
    "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n1\r\n2\r\n";
const std::string note_part = "Content-Disposition: form-data; name=note\r\n\r\nhello";

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
      {"another boundary", multipart("|" + file_part + "|" + note_part + "|", "----one"),
       multipart("|" + file_part + "|" + note_part + "|", "two.2")},
      {"a boundary in quotes", multipart("|" + file_part + "|", "a:b"),
       [] {
         auto quoted = multipart("|" + file_part + "|", "a:b");
         quoted.raw().request.headers.remove("Content-Type");
         return quoted.request_header("Content-Type", "Multipart/Form-Data; charset=utf-8 ; Boundary=\"a:b\"");
       }()},
      {"fields of a part that do not count", multipart("|" + note_part + "|"),
       multipart("|X-Other: 1\r\ncontent-disposition:form-data ;NAME=\"note\" \r\n\r\nhello|")},
      {"parts of no form", multipart("|\r\nhello|Content-Type: text/plain\r\n\r\n|", "b", "multipart/mixed"),
       multipart("|\r\nhello|Content-Type: text/plain\r\n\r\n|", "c", "multipart/related")},
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
      {"the content of a part", multipart("|" + file_part + "|"), multipart("|" + file_part + "x|")},
      {"an end of line of a part's content", multipart("|" + file_part + "|"), multipart("|" + file_part + "\r\n|")},
      {"the order of parts", multipart("|" + file_part + "|" + note_part + "|"),
       multipart("|" + note_part + "|" + file_part + "|")},
      {"one part more", multipart("|" + note_part + "|"), multipart("|" + note_part + "|" + note_part + "|")},
      {"the name of a part", multipart("|" + note_part + "|"),
       multipart("|Content-Disposition: form-data; name=Note\r\n\r\nhello|")},
      {"the file name of a part", multipart("|" + note_part + "|"),
       multipart("|Content-Disposition: form-data; name=note; filename=\"\"\r\n\r\nhello|")},
      {"the coded file name of a part",
       multipart("|Content-Disposition: form-data; name=a; filename*=utf-8''%61\r\n\r\n|"),
       multipart("|Content-Disposition: form-data; name=a; filename*=utf-8''%62\r\n\r\n|")},
      {"the type of a part", multipart("|Content-Type: text/csv\r\n\r\n|"),
       multipart("|Content-Type: text/xml\r\n\r\n|")},
      {"a quote in a name and what follows it",
       multipart("|Content-Disposition: form-data; name=\"a\\\" type=\\\"b\"\r\n\r\n|"),
       multipart("|Content-Disposition: form-data; name=a\r\nContent-Type: b\r\n\r\n|")},
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

TEST_CASE("the key of a multipart body tells its parts, never its boundary") {
  const auto key = key_of(multipart("|" + file_part + "|" + note_part + "|\r\n|", "bound"));
  CHECK(key.body_kind == "multipart");
  CHECK(key.body ==
        "part name=\"file\" filename=\"a.csv\" type=\"text/csv\" sha256 "
        "b473937a154bd045a97897598c994065977bae6e521296011356b15a91f0f4db, 6 bytes\n"
        "part name=\"note\" sha256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824, 5 bytes\n"
        "part sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, 0 bytes\n");
  const auto none = key_of(post("/x").request_body("multipart/form-data; boundary=b", "--b--"));
  CHECK(none.body_kind == "multipart");
  CHECK(none.body == "");
  CHECK(key_of(multipart("|" + std::string("\r\n--bx-|"))).body_kind == "bytes");
}

TEST_CASE("what is not strictly multipart is compared byte by byte") {
  struct Row {
    std::string name;
    std::string type;
    std::string body;
  };
  const std::string type = "multipart/form-data; boundary=b";
  const Row rows[] = {
      {"no boundary", "multipart/form-data", "--b\r\n\r\n\r\n--b--"},
      {"an empty boundary", "multipart/form-data; boundary=", "--\r\n\r\n\r\n----"},
      {"an empty boundary in quotes", "multipart/form-data; boundary=\"\"", "--\r\n\r\n\r\n----"},
      {"a boundary that is never closed", "multipart/form-data; boundary=\"b", "--b--"},
      {"two boundaries", "multipart/form-data; boundary=b; boundary=c", "--b--"},
      {"a long boundary", "multipart/form-data; boundary=" + std::string(71, 'b'), "--" + std::string(71, 'b') + "--"},
      {"a boundary of odd characters", "multipart/form-data; boundary=\"b*\"", "--b*--"},
      {"a boundary that ends in a space", "multipart/form-data; boundary=\"b \"", "--b --"},
      {"another boundary", type, "--c\r\n\r\n\r\n--c--"},
      {"a preamble", type, "hello\r\n--b\r\n\r\n\r\n--b--"},
      {"an epilogue", type, "--b\r\n\r\n\r\n--b--\r\nhello"},
      {"no end", type, "--b\r\n\r\nhello\r\n"},
      {"no end of a delimiter", type, "--b\r\n\r\nhello\r\n--b"},
      {"half an end", type, "--b\r\n\r\nhello\r\n--b-"},
      {"LF alone", type, "--b\n\nhello\n--b--\n"},
      {"LF alone in a part's head", type, "--b\r\nX: 1\nY: 2\r\n\r\n\r\n--b--"},
      {"a head without an end", type, "--b\r\nX: 1\r\n--b--"},
      {"a head that runs into the next part", type, "--b\r\nX: 1\r\n--b\r\n\r\nhello\r\n--b--"},
      {"a folded field", type, "--b\r\nContent-Type: a/b;\r\n c=d\r\n\r\n\r\n--b--"},
      {"no field", type, "--b\r\nhello\r\n\r\n\r\n--b--"},
      {"a space before the colon", type, "--b\r\nX : 1\r\n\r\n\r\n--b--"},
      {"two types", type, "--b\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n\r\n--b--"},
      {"two dispositions", type, "--b\r\nContent-Disposition: a\r\ncontent-disposition: a\r\n\r\n\r\n--b--"},
      {"two names", type, "--b\r\nContent-Disposition: a; name=a; name=b\r\n\r\n\r\n--b--"},
      {"a name that is never closed", type, "--b\r\nContent-Disposition: a; name=\"a\r\n\r\n\r\n--b--"},
      {"something behind a name", type, "--b\r\nContent-Disposition: a; name=\"a\"b\r\n\r\n\r\n--b--"},
      {"a control character in a name", type, "--b\r\nContent-Disposition: a; name=\"a\x01\"\r\n\r\n\r\n--b--"},
      {"a long head", type, "--b\r\nX: " + std::string(16 * 1024, 'x') + "\r\n\r\n\r\n--b--"},
      {"text after a delimiter", type, "--b x\r\n\r\nhello\r\n--b--"},
      {"a line that begins as the delimiter does", type, "--b\r\n\r\n\r\n--bc\r\n--b--"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(key_of(post("/x").request_body(row.type, row.body)).body_kind == "bytes");
  }
  const auto parts = [](int count) {
    std::string text = "|";
    for (int i = 0; i < count; ++i) text += "\r\n|";
    return multipart(text);
  };
  CHECK(key_of(parts(1000)).body_kind == "multipart");
  CHECK(key_of(parts(1000)).body.starts_with("sha256 "));
  CHECK(key_of(parts(1001)).body_kind == "bytes");
}

TEST_CASE("a multipart body cut anywhere is never taken for a shorter one") {
  const auto whole = multipart("|" + file_part + "|" + note_part + "|").build().request.body.bytes;
  for (std::size_t size = 1; size < whole.size() - 2; ++size) {
    CAPTURE(size);
    const auto cut = key_of(post("/x").request_body("multipart/form-data; boundary=b", whole.substr(0, size)));
    CHECK(cut.body_kind == "bytes");
  }
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
