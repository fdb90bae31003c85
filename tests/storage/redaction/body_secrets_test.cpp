#include "storage/redaction/body_secrets.hpp"

#include <iostream>
#include <random>

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/text_redaction.hpp"

using namespace tapedeck;

namespace {

constexpr std::size_t plenty = 1 << 22;
constexpr const char* form_type = "application/x-www-form-urlencoded";
constexpr const char* json_type = "application/json";

const RuleTable& table() {
  static const RuleTable rules({});
  return rules;
}

Result<bool> redact_body(const Headers& headers, Body& body, std::size_t decoded_bytes_max, Tally* tally) {
  auto redaction = BodyRedaction::open(headers, body, decoded_bytes_max, tally);
  if (!redaction) return redaction.error();
  redaction->apply_rules({table(), 0}, tally);
  return redaction->close();
}

struct Redacted {
  std::string bytes;
  BodyForm form;
  std::vector<RedactionCount> counts;
};

Redacted redacted(const std::string& type, std::string bytes, const char* encoding = nullptr) {
  Headers headers;
  if (!type.empty()) headers.add("Content-Type", type);
  if (encoding != nullptr) headers.add("Content-Encoding", encoding);
  Body body{std::move(bytes), BodyForm::verbatim, BodyFraming::content_length};
  Tally tally;
  const auto changed = redact_body(headers, body, plenty, &tally);
  REQUIRE(changed.has_value());
  CHECK(*changed == (body.form != BodyForm::verbatim));
  // Once more changes nothing.
  auto again = body;
  CHECK_FALSE(redact_body(headers, again, plenty, nullptr).value());
  CHECK(again.bytes == body.bytes);
  return {body.bytes, body.form, tally.take()};
}

// The same text redacted as it comes: by two pieces split at `split`, or byte by byte.
std::string streamed(const std::string& type, std::string_view text, std::optional<std::size_t> split) {
  TextRedaction redaction(type, {table(), 0}, std::make_shared<KnownSecrets>(std::vector<LiteralSecret>()), 1);
  std::string redacted;
  if (split) {
    redaction.push(text.substr(0, *split), redacted);
    redaction.push(text.substr(*split), redacted);
  } else {
    for (const char& c : text) redaction.push({&c, 1}, redacted);
  }
  redaction.finish(redacted);
  return redacted;
}

struct Row {
  std::string name;
  std::string type;
  std::string text;
  std::string expected;  // empty: unchanged
};

void check_rows(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    INFO(row.name);
    const auto expected = row.expected.empty() ? row.text : row.expected;
    const auto plain = redacted(row.type, row.text);
    CHECK(plain.bytes == expected);
    CHECK(streamed(row.type, row.text, std::nullopt) == expected);
    for (std::size_t split = 0; split <= row.text.size(); ++split) {
      CAPTURE(split);
      CHECK(streamed(row.type, row.text, split) == expected);
    }
    for (const std::string encoding : {"gzip", "deflate", "br", "zstd"}) {
      CAPTURE(encoding);
      const auto coding = *content_coding_of(encoding);
      const auto coded = encode_content(coding, row.text);
      const auto result = redacted(row.type, coded, encoding.c_str());
      if (row.expected.empty()) CHECK(result.bytes == coded);
      CHECK(decode_content(coding, result.bytes, plenty).value() == expected);
    }
  }
}

}  // namespace

TEST_CASE("JSON") {
  check_rows({
      {"a token answer", json_type, R"({"access_token":"abc","token_type":"Bearer","expires_in":3600})",
       R"({"access_token":"{{tapedeck:access-token}}","token_type":"Bearer","expires_in":3600})"},
      {"any depth, spaces kept", json_type, "{ \"a\" : [ { \"Password\" :\t\"x\" } ] }\n",
       "{ \"a\" : [ { \"Password\" :\t\"{{tapedeck:password}}\" } ] }\n"},
      {"escaped key", json_type, R"({"\u0063lient_secret":"x"})",
       R"({"\u0063lient_secret":"{{tapedeck:client-secret}}"})"},
      {"escapes in the value", json_type, R"({"password":"a\"b\\","b":"c"})",
       R"({"password":"{{tapedeck:password}}","b":"c"})"},
      {"arrays of strings", json_type, R"({"secret":["a",["b",1,null],{"k":"c"}],"d":"e"})",
       R"({"secret":["{{tapedeck:secret}}",["{{tapedeck:secret}}",1,null],{"k":"c"}],"d":"e"})"},
      {"repeated keys", json_type, R"({"secret":"a","secret":"b"})",
       R"({"secret":"{{tapedeck:secret}}","secret":"{{tapedeck:secret}}"})"},
      {"only strings", json_type, R"({"password":1,"secret":true,"api_key":null,"jwt":{"a":"b"},"pwd":""})", ""},
      {"business code", json_type, R"({"status":{"code":0,"text":"x"},"code":"ADDRESS","statusCode":"100"})", ""},
      {"code beside its grant", json_type, R"({"code":"abc","a":{"code":"x"},"grant_type":"authorization_code"})",
       R"({"code":"{{tapedeck:auth-code}}","a":{"code":"x"},"grant_type":"authorization_code"})"},
      {"code beside another grant", json_type, R"({"code":"abc","grant_type":"client_credentials"})", ""},
      {"username beside password", json_type, R"({"grant_type":"password","username":"eva"})",
       R"({"grant_type":"password","username":"{{tapedeck:username}}"})"},
      {"username elsewhere", json_type, R"({"username":"eva"})", ""},
      {"åäö", json_type, "{\"namn\":\"Åsa Öberg\",\"secret\":\"é\",\"ort\":\"Malmö\"}",
       "{\"namn\":\"Åsa Öberg\",\"secret\":\"{{tapedeck:secret}}\",\"ort\":\"Malmö\"}"},
      {"big numbers", json_type, R"({"n":12345678901234567890.10,"secret":"a"})",
       R"({"n":12345678901234567890.10,"secret":"{{tapedeck:secret}}"})"},
      {"byte order mark", json_type, "\xEF\xBB\xBF{\"secret\":\"a\"}",
       "\xEF\xBB\xBF{\"secret\":\"{{tapedeck:secret}}\"}"},
      {"problem+json", "application/problem+json; charset=utf-8", R"({"jwt":"a"})", R"({"jwt":"{{tapedeck:jwt}}"})"},
      {"no type", "", R"({"jwt":"a"})", R"({"jwt":"{{tapedeck:jwt}}"})"},
      {"called text", "text/plain", R"([{"jwt":"a"}])", R"([{"jwt":"{{tapedeck:jwt}}"}])"},
      {"called octets", "application/octet-stream", R"({"jwt":"a"})", R"({"jwt":"{{tapedeck:jwt}}"})"},
      {"called a form", form_type, R"({"jwt":"a"})", R"({"jwt":"{{tapedeck:jwt}}"})"},
      {"newline-delimited", "application/x-ndjson", "{\"jwt\":\"a\"}\n{\"b\":1}\n{\"jwt\":\"c\"}\n",
       "{\"jwt\":\"{{tapedeck:jwt}}\"}\n{\"b\":1}\n{\"jwt\":\"{{tapedeck:jwt}}\"}\n"},
      {"a line that is not JSON", "application/x-ndjson", "{\"jwt\":\"a\"}\noops\n{\"jwt\":\"c\"}\n",
       "{\"jwt\":\"{{tapedeck:jwt}}\"}\noops\n{\"jwt\":\"{{tapedeck:jwt}}\"}\n"},
      {"cut in a secret", json_type, R"({"a":"b","password":"hun)", R"({"a":"b","password":"{{tapedeck:password}})"},
      {"cut in an escape", json_type, R"({"a":"b","password":"hun\u12)",
       R"({"a":"b","password":"{{tapedeck:password}})"},
      {"cut behind a secret", json_type, R"({"password":"hun","a":"b)",
       R"({"password":"{{tapedeck:password}}","a":"b)"},
      {"cut in a secret array", json_type, R"({"password":["hun","ter)",
       R"({"password":["{{tapedeck:password}}","{{tapedeck:password}})"},
      {"broken before a secret", json_type, R"({"a":oops,"password" : "hun\"ter","b":1})",
       R"({"a":oops,"password" : "{{tapedeck:password}}","b":1})"},
      {"broken in a secret", json_type, "{\"password\":\"hu\nnter\",\"b\":\"c\"}",
       "{\"password\":\"{{tapedeck:password}}\",\"b\":\"c\"}"},
      {"Latin-1 in a secret array", json_type, "{\"password\":[\"a\",{\"x\":\"y\"},\"hu\xE5nter\",\"c\"]}",
       "{\"password\":[\"{{tapedeck:password}}\",{\"x\":\"y\"},\"{{tapedeck:password}}\",\"{{tapedeck:password}}\"]}"},
      {"quotes out of step", json_type, "oops 5\" wide, \"password\":\"hunter\"",
       "oops 5\" wide, \"password\":\"{{tapedeck:password}}\""},
      {"in a script", "text/html", "<script>var x={\"a\":1,\"api_key\": \"k\"}</script>",
       "<script>var x={\"a\":1,\"api_key\": \"{{tapedeck:api-key}}\"}</script>"},
      {"the next page's URL", json_type,
       R"({"next":"https:\/\/h\/a?api_key=k&page=2\u0026hapikey=j\u0026z=1","n":"/x?y=1"})",
       R"({"next":"https:\/\/h\/a?api_key=%7B%7Btapedeck%3Aapi-key%7D%7D&page=2\u0026hapikey=%7B%7Btapedeck%3Aapi-key%7D%7D\u0026z=1","n":"/x?y=1"})"},
      {"short tokens are places in a list", json_type, R"({"token":"page-2"})", ""},
      {"an image", "image/png", R"({"secret":"a"})", ""},
  });
}

TEST_CASE("forms") {
  check_rows({
      {"a token request", form_type, "grant_type=client_credentials&client_id=a&client_secret=b%26c",
       "grant_type=client_credentials&client_id=%7B%7Btapedeck%3Aclient-id%7D%7D&client_secret=%7B%7Btapedeck%3Aclient-"
       "secret%7D%7D"},
      {"coded and mixed keys", form_type, "Client%5FSecret=b&x=y",
       "Client%5FSecret=%7B%7Btapedeck%3Aclient-secret%7D%7D&x=y"},
      {"repeated", form_type, "jwt=a&jwt=b", "jwt=%7B%7Btapedeck%3Ajwt%7D%7D&jwt=%7B%7Btapedeck%3Ajwt%7D%7D"},
      {"separators inside a secret", form_type, "password=a;b?c#d\ne&x=y",
       "password=%7B%7Btapedeck%3Apassword%7D%7D&x=y"},
      {"behind a semicolon", form_type, "a=1;password=b&x=y", "a=1;password=%7B%7Btapedeck%3Apassword%7D%7D&x=y"},
      {"code and its grant", form_type, "code=abc&grant_type=authorization_code",
       "code=%7B%7Btapedeck%3Aauth-code%7D%7D&grant_type=authorization_code"},
      {"business code", form_type, "code=abc&state=CA&grant_type=x", ""},
      {"username", form_type, "username=eva&password=x&grant_type=password",
       "username=%7B%7Btapedeck%3Ausername%7D%7D&password=%7B%7Btapedeck%3Apassword%7D%7D&grant_type=password"},
      {"no value", form_type, "password=&client_secret&x", ""},
      {"no type", "", "client_secret=b", "client_secret=%7B%7Btapedeck%3Aclient-secret%7D%7D"},
      {"called text", "text/plain", "a=1&jwt=b", "a=1&jwt=%7B%7Btapedeck%3Ajwt%7D%7D"},
      {"called JSON", json_type, "a=1&jwt=b", "a=1&jwt=%7B%7Btapedeck%3Ajwt%7D%7D"},
      {"prose", "text/plain", "Set the password=x here", ""},
      {"begins like JSON", form_type, "{}=1&jwt=b", "{}=1&jwt=%7B%7Btapedeck%3Ajwt%7D%7D"},
  });
}

TEST_CASE("JSON, forms and URLs within strings of JSON") {
  check_rows({
      {"JSON", json_type, R"({"body":"{\"password\":\"a\\\"b\",\"n\":1}","x":"y"})",
       R"({"body":"{\"password\":\"{{tapedeck:password}}\",\"n\":1}","x":"y"})"},
      {"JSON in JSON in JSON", json_type, R"(["{\"a\":\"{\\\"jwt\\\":\\\"x\\\"}\"}"])",
       R"(["{\"a\":\"{\\\"jwt\\\":\\\"{{tapedeck:jwt}}\\\"}\"}"])"},
      {"JSON with coded quotes", json_type, R"(["{\u0022jwt\u0022:\u0022x\u0022}"])",
       R"(["{\u0022jwt\u0022:\u0022{{tapedeck:jwt}}\u0022}"])"},
      {"a form", json_type, R"({"data":"a=1&client_secret=x\u0026jwt=y"})",
       R"({"data":"a=1&client_secret=%7B%7Btapedeck%3Aclient-secret%7D%7D\u0026jwt=%7B%7Btapedeck%3Ajwt%7D%7D"})"},
      {"a form of one pair", json_type, R"(["client_secret=x"])",
       R"(["client_secret=%7B%7Btapedeck%3Aclient-secret%7D%7D"])"},
      {"prose", json_type, R"({"text":"a = b & password=c","more":"[1, 2]","json":"{}"})", ""},
      {"a body that is a string", json_type, R"("{\"secret\":\"a\"}")", R"("{\"secret\":\"{{tapedeck:secret}}\"}")"},
      {"a piece of an object", "text/plain", R"("secret": "a", "b": "c")",
       R"("secret": "{{tapedeck:secret}}", "b": "c")"},
  });
}

TEST_CASE("multipart bodies") {
  const std::string type = "multipart/form-data; boundary=\"x.y\"";
  const auto part = [](const std::string& head, const std::string& content) {
    return "--x.y\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + content + "\r\n";
  };
  const std::string end = "--x.y--\r\n";
  const auto harmless = part("name=\"code\"", "0") + part("name=a; filename=\"password\"", "abc");
  check_rows({
      {"a secret part", type, part("name=\"client_secret\"", "a\r\n--b") + harmless + end,
       part("name=\"client_secret\"", "{{tapedeck:client-secret}}") + harmless + end},
      {"without quotes", type, part("filename=\"x;y\"; NAME=password", "a") + end,
       part("filename=\"x;y\"; NAME=password", "{{tapedeck:password}}") + end},
      {"an empty one", type, part("name=password", "") + end, ""},
      {"a part of JSON", type, part("name=a\r\nContent-Type: application/json", R"({"jwt":"x"})") + harmless + end,
       part("name=a\r\nContent-Type: application/json", R"({"jwt":"{{tapedeck:jwt}}"})") + harmless + end},
      {"a part that is a form", type, part("name=a", "b=1&jwt=x") + end,
       part("name=a", "b=1&jwt=%7B%7Btapedeck%3Ajwt%7D%7D") + end},
      {"an image", type, part("name=a\r\nContent-Type: image/png", R"({"jwt":"x"})") + end, ""},
      {"bare line feeds", type, "--x.y\nContent-Disposition: form-data; name=password\n\nabc\n--x.y--\n",
       "--x.y\nContent-Disposition: form-data; name=password\n\n{{tapedeck:password}}\n--x.y--\n"},
      {"cut in a secret", type, "--x.y\r\nContent-Disposition: form-data; name=password\r\n\r\nabc",
       "--x.y\r\nContent-Disposition: form-data; name=password\r\n\r\n{{tapedeck:password}}"},
      {"text before and behind", type, "preamble\r\n" + part("name=password", "a") + end + "behind",
       "preamble\r\n" + part("name=password", "{{tapedeck:password}}") + end + "behind"},
      {"no boundary", "multipart/form-data", R"({"jwt":"x"})", R"({"jwt":"{{tapedeck:jwt}}"})"},
  });
}

TEST_CASE("bodies that are not the multipart they are called") {
  const std::string type = "multipart/form-data; boundary=abc";
  const std::string json = R"({"jwt":"x"})";
  const std::string safe_json = R"({"jwt":"{{tapedeck:jwt}}"})";
  const std::string form = "a=1&jwt=x";
  const std::string safe_form = "a=1&jwt=%7B%7Btapedeck%3Ajwt%7D%7D";
  const std::string image = "--abc\r\nContent-Type: image/png\r\n\r\n";
  const std::string end = "\r\n--abc--\r\n";
  check_rows({
      {"JSON", type, json, safe_json},
      {"a form", type, form, safe_form},
      {"another boundary", type, "--def\r\n\r\n" + json + "\r\n--def--\r\n",
       "--def\r\n\r\n" + safe_json + "\r\n--def--\r\n"},
      {"before the first part", type, json + "\r\n" + image + "x" + end, safe_json + "\r\n" + image + "x" + end},
      {"behind the end", type, image + json + end + json, image + json + end + safe_json},
      {"a form behind the end", type, image + json + end + form, image + json + end + safe_form},
      {"a form cut before a part", type, form + "\n" + image + json + end, safe_form + "\n" + image + json + end},
      {"behind a line that begins like the delimiter", type, "--abcdef\r\n" + json + "\r\n\r\nx",
       "--abcdef\r\n" + safe_json + "\r\n\r\nx"},
      {"such a line in a secret", type,
       "--abc\r\nContent-Disposition: a; name=password\r\n\r\na\r\n--abcd\r\n\r\nb\r\n--abc-x\r\nc" + end,
       "--abc\r\nContent-Disposition: a; name=password\r\n\r\n{{tapedeck:password}}" + end},
      {"blanks behind the delimiter", type,
       "--abc \t\r\nContent-Disposition: a; name=password\r\n\r\na\r\n--abc-- \r\n",
       "--abc \t\r\nContent-Disposition: a; name=password\r\n\r\n{{tapedeck:password}}\r\n--abc-- \r\n"},
      {"a part without a head", type, "--abc\r\n\r\n" + form + end, "--abc\r\n\r\n" + safe_form + end},
      {"JSON for a head", type, "--abc\r\n" + json + end, "--abc\r\n" + safe_json + end},
      {"JSON with empty lines for a head", type, "--abc\r\n{\"jwt\":\r\n\r\n\"x\"}" + end,
       "--abc\r\n{\"jwt\":\r\n\r\n\"{{tapedeck:jwt}}\"}" + end},
      {"a form for a head", type, "--abc\r\n" + form + end, "--abc\r\n" + safe_form + end},
      {"on the delimiter's line", type, "--abc " + json + "\r\n\r\nx" + end, "--abc " + safe_json + "\r\n\r\nx" + end},
      {"a field of a head", type, "--abc\r\nContent-ID: " + json + "\r\n\r\n" + form + end,
       "--abc\r\nContent-ID: " + safe_json + "\r\n\r\n" + safe_form + end},
      {"a head that never ends", type, "--abc\r\nContent-Type: image/png\r\nX: " + json,
       "--abc\r\nContent-Type: image/png\r\nX: " + safe_json},
  });
}

TEST_CASE("a secret across the place where a head grows too long") {
  const std::string type = "multipart/form-data; boundary=abc";
  for (const std::string field : {"Content-Type: image/png", "X: y"}) {
    const auto before = "--abc\r\n" + field + "\r\nZ: " + std::string(16 * 1024 - 40, 'z');
    const auto text = before + R"("jwt":")" + std::string(100, 'x') + R"(")" + "\r\n--abc--\r\n";
    const auto expected = before + R"("jwt":"{{tapedeck:jwt}}")" + "\r\n--abc--\r\n";
    CHECK((redacted(type, text).bytes == expected));
    CHECK((streamed(type, text, std::nullopt) == expected));
  }
}

TEST_CASE("server-sent events") {
  check_rows({
      {"one text a line", "text/event-stream",
       "event: a\r\ndata: {\"jwt\":\"x\"}\r\n\r\ndata:{\"n\":1}\n\ndata: jwt=y\n: {\"jwt\":\"c\"}\n",
       "event: a\r\ndata: {\"jwt\":\"{{tapedeck:jwt}}\"}\r\n\r\ndata:{\"n\":1}\n\ndata: jwt=y\n: "
       "{\"jwt\":\"{{tapedeck:jwt}}\"}\n"},
      {"JSON over several lines", "text/event-stream", "data: {\ndata:  \"jwt\": \"x\"\ndata: }\n",
       "data: {\ndata:  \"jwt\": \"{{tapedeck:jwt}}\"\ndata: }\n"},
      {"JSON instead", "text/event-stream", "{\n  \"secret\": [\n    \"a\",\r\n    \"b\"\n  ],\n  \"jwt\":\n\"x\"\n}\n",
       "{\n  \"secret\": [\n    \"{{tapedeck:secret}}\",\r\n    \"{{tapedeck:secret}}\"\n  ],\n  "
       "\"jwt\":\n\"{{tapedeck:jwt}}\"\n}\n"},
      {"a form instead", "text/event-stream", "a=1&jwt=x", "a=1&jwt=%7B%7Btapedeck%3Ajwt%7D%7D"},
      {"a form before an event", "text/event-stream", "jwt=x\r\ndata: {\"jwt\":\"y\"}\n\n",
       "jwt=%7B%7Btapedeck%3Ajwt%7D%7D\r\ndata: {\"jwt\":\"{{tapedeck:jwt}}\"}\n\n"},
      {"a form behind an event", "text/event-stream", "data: 1\n\njwt=x", "data: 1\n\njwt=%7B%7Btapedeck%3Ajwt%7D%7D"},
      {"JSON in other fields", "text/event-stream", "id: {\"jwt\":\"x\"}\ndata: 1\ndata {\"jwt\":\"y\"}\r\rdat",
       "id: {\"jwt\":\"{{tapedeck:jwt}}\"}\ndata: 1\ndata {\"jwt\":\"{{tapedeck:jwt}}\"}\r\rdat"},
  });
}

TEST_CASE("whatever stands where, pieces are redacted as the whole is") {
  const unsigned seed = std::random_device{}();
  std::cout << "mislabelled bodies: seed " << seed << '\n';
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string words[] = {"--abc",
                               "--",
                               "-",
                               "\r\n",
                               "\r\n",
                               "\n",
                               "\r",
                               " ",
                               "data:",
                               "dat",
                               ":",
                               "x",
                               "\"jwt\":\"y\"",
                               "{\"jwt\":\"y\"}",
                               "{",
                               "\"",
                               "jwt=y",
                               "&",
                               "Content-Type: image/png",
                               "Content-Disposition: a; name=password"};
  for (int round = 0; round < 1'000; ++round) {
    std::string text;
    for (auto left = 1 + random() % 20; left > 0; --left) text += words[random() % std::size(words)];
    for (const std::string type : {"multipart/mixed; boundary=abc", "text/event-stream"}) {
      CAPTURE(type);
      CAPTURE(text);
      Body body{text, BodyForm::verbatim, BodyFraming::content_length};
      REQUIRE(redact_body({{"Content-Type", type}}, body, plenty, nullptr).has_value());
      REQUIRE(streamed(type, text, std::nullopt) == body.bytes);
      REQUIRE(streamed(type, text, random() % (text.size() + 1)) == body.bytes);
    }
  }
}

TEST_CASE("XML") {
  check_rows({
      {"elements", "application/xml",
       "<a><Password>x &amp; y</Password><code>1</code><s:clientSecret k='v'>z</s:clientSecret></a>",
       "<a><Password>{{tapedeck:password}}</Password><code>1</code><s:clientSecret "
       "k='v'>{{tapedeck:client-secret}}</s:clientSecret></a>"},
      {"attributes", "text/xml", "<a client_secret=\"x\" code=\"1\" b:password=\"y\"/>",
       "<a client_secret=\"{{tapedeck:client-secret}}\" code=\"1\" b:password=\"{{tapedeck:password}}\"/>"},
      {"empty and nested", "text/xml", "<password/><password> </password><secret><b>x</b></secret>", ""},
  });
}

TEST_CASE("bodies whose coding cannot be undone") {
  const std::string text = R"({"password":"hunter2","rest":")" + std::string(5000, 'r') + R"("})";
  const std::string harmless = R"({"name":"hunter2","rest":")" + std::string(5000, 'r') + R"("})";
  const std::string safe = R"({"password":"{{tapedeck:password}}","rest":")" + std::string(5000, 'r') + R"("})";
  const auto coded = encode_content(ContentCoding::gzip, text);
  const auto coded_harmless = encode_content(ContentCoding::gzip, harmless);

  SUBCASE("cut: what can be read is kept, redacted, and still ends open") {
    const auto result = redacted(json_type, coded.substr(0, coded.size() - 10), "gzip");
    const auto prefix = decode_content_prefix(ContentCoding::gzip, result.bytes, plenty);
    CHECK(prefix.end == DecodedPrefix::End::cut);
    CHECK(prefix.text.size() > 100);
    CHECK(safe.starts_with(prefix.text));
    CHECK(result.counts.front().rule == "undecodable gzip");
  }
  SUBCASE("cut without a secret: as it was") {
    const auto cut = coded_harmless.substr(0, coded_harmless.size() - 10);
    const auto result = redacted(json_type, cut, "gzip");
    CHECK(result.bytes == cut);
    CHECK(result.form == BodyForm::verbatim);
  }
  SUBCASE("plain text that is called gzip") {
    CHECK(redacted(json_type, text, "gzip").bytes == safe);
  }
  SUBCASE("a secret in plain text behind the end") {
    const auto result = redacted(json_type, coded_harmless + text, "gzip");
    CHECK(result.bytes == coded_harmless + safe);
  }
  SUBCASE("an unknown coding is kept and counted") {
    const auto result = redacted(json_type, "\x1b\x0f\x80!!", "compress");
    CHECK(result.form == BodyForm::verbatim);
    REQUIRE(result.counts.size() == 1);
    CHECK(result.counts.front().rule == "undecoded compress");
    CHECK(redacted(json_type, text, "compress").bytes == safe);
    CHECK(redacted(json_type, "xyz", "s3cr3t").counts.front().rule == "undecoded coding");
  }
}

TEST_CASE("a bomb is refused") {
  Headers headers{{"Content-Encoding", "gzip"}};
  Body body{encode_content(ContentCoding::gzip, std::string(plenty + 1, '0'))};
  const auto result = redact_body(headers, body, plenty, nullptr);
  REQUIRE(result.has_error());
  CHECK(result.error().code == "redaction-impossible");
}
