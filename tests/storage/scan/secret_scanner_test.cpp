#include "storage/scan/secret_scanner.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "tests/support/exchange_builder.hpp"

using namespace tapedeck;
using tapedeck::test::ExchangeBuilder;

namespace {

// A line for each finding.
std::string told(const Exchange& exchange, const std::vector<LiteralSecret>& secrets = {}) {
  const Redactor redactor({}, Limits{});
  const SecretScanner scanner(redactor, secrets, Limits{});
  std::string lines;
  for (const Finding& finding : scanner.scan(exchange)) {
    lines += finding.kind == Finding::Kind::warning ? "warning: " : "";
    lines += finding.place + ": " + finding.rule + ": " + finding.value_start + " " +
             std::to_string(finding.value_bytes) + "\n";
  }
  return lines;
}

Exchange with_gzip(ExchangeBuilder builder, const std::string& text) {
  builder.response_body("application/json", encode_content(ContentCoding::gzip, text));
  return builder.response_header("Content-Encoding", "gzip").build();
}

}  // namespace

TEST_CASE("what redaction would still change is told by its place, its rule and its beginning alone") {
  CHECK(told(ExchangeBuilder("GET", "/a?access_token=abcdefghijkl&b=1").build()) ==
        "request target: query *access_token: abc 12\n");
  CHECK(told(ExchangeBuilder().request_header("Authorization", "Bearer 0123456789abcdef").build()) ==
        "request header Authorization: header authorization: 012 16\n");
  CHECK(told(ExchangeBuilder()
                 .response_json(R"({"a":1,"access_token":"abcdefgh","b":{"password":"hunter22"}})")
                 .build()) ==
        "response body, byte 23: json *access_token or json password: ab 8\n"
        "response body, byte 50: json *access_token or json password: hu 8\n");
  CHECK(told(with_gzip(ExchangeBuilder(), R"({"api_key":"0123456789ab"})")) ==
        "response body, byte 12: json *api_key: 012 12\n");
  CHECK(told(ExchangeBuilder("POST", "/token").request_form("grant_type=x&client_secret=hunter2").build()) ==
        "request body, byte 27: form *client_secret: h 7\n");
}

TEST_CASE("what was redacted is clean") {
  const Redactor redactor({}, Limits{});
  auto exchange = ExchangeBuilder("POST", "/a?access_token=abcdefghijkl")
                      .request_header("Authorization", "Basic dXNlcjpodW50ZXIy")
                      .request_header("Cookie", "session=abcdef; theme=dark")
                      .request_json(R"({"password":"hunter2"})")
                      .response_header("Location", "https://a:b@x.io/?code=1&state=2")
                      .response_header("Content-Encoding", "gzip")
                      .build();
  exchange.response->status = 302;
  exchange.response->body.bytes = encode_content(ContentCoding::gzip, R"({"access_token":"abcdefgh"})");
  CHECK(!told(exchange).empty());
  const auto redacted = redactor.redact(exchange);
  REQUIRE(redacted.has_value());
  CHECK(told(redacted->exchange()) == "");
}

TEST_CASE("a body that is kept without its coding is read as it is") {
  auto exchange = ExchangeBuilder().response_header("Content-Encoding", "gzip").build();
  exchange.response->body.form = BodyForm::identity;
  CHECK(told(exchange) == "");
  exchange.response->body.bytes = R"({"api_key":"0123456789ab"})";
  CHECK(told(exchange) == "response body, byte 12: json *api_key: 012 12\n");
}

TEST_CASE("named secrets are found in every place and encoding, and only once") {
  const std::vector<LiteralSecret> secrets{{"k\xC3\xA4y/\"+1 z", "secret-a"}};
  struct Row {
    const char* name;
    std::string text;
    const char* rule;
  };
  const Row rows[] = {
      {"raw", "<k\xC3\xA4y/\"+1 z>", "as it is"},
      {"percent", "=k%C3%A4y%2F%22%2B1%20z&", "percent-encoded"},
      {"percent in lower case", "=k%c3%a4y%2f%22%2b1%20z&", "percent-encoded"},
      {"form", "=k%C3%A4y%2F%22%2B1+z&", "form-encoded"},
      {"JSON", "\"k\xC3\xA4y/\\\"+1 z\"", "JSON-escaped"},
      {"JSON with slashes", "\"k\xC3\xA4y\\/\\\"+1 z\"", "JSON-escaped"},
      {"JSON twice", "\"k\xC3\xA4y/\\\\\\\"+1 z\"", "JSON-escaped twice"},
      {"hex", "6bc3a4792f222b31207a", "hexadecimal"},
      {"HEX", "6BC3A4792F222B31207A", "hexadecimal"},
      {"base64", "a8OkeS8iKzEgeg==", "base64"},
      {"base64 behind a byte", "cGvDpHkvIisxIHo=", "base64"},
      {"base64 behind two bytes", "cHBrw6R5LyIrMSB6", "base64"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    auto exchange = ExchangeBuilder().response_body("text/plain", row.text).build();
    const auto lines = told(exchange, secrets);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
    CHECK(lines.find("response body, byte ") == 0);
    CHECK(lines.find(std::string(": secret-a, ") + row.rule + ": ") != std::string::npos);
    exchange.response->body = {};
    exchange.response->trailers.add("X-Sum", row.text);
    exchange.failure = NetworkFailure{};
    exchange.failure->code = row.text;
    exchange.response->interim.push_back({103, "", {{"X-Hint", row.text}}});
    exchange.response->reason = row.text;
    exchange.request.target = "/a?b=" + row.text;
    const auto everywhere = told(exchange, secrets);
    CHECK(std::count(everywhere.begin(), everywhere.end(), '\n') == 5);
  }
}

TEST_CASE("a placeholder is not taken for the secret that has its letters") {
  const auto exchange = ExchangeBuilder("GET", "/a?b=%7B%7Btapedeck%3Asecret%7D%7D")
                            .response_body("text/plain", "{{tapedeck:secret}} {{tapedeck:secret-tape}}")
                            .build();
  CHECK(told(exchange, {{"secret", "secret"}, {"tape", "secret-tape"}}) == "");
  const auto left = ExchangeBuilder().response_body("text/plain", "{{tapedeck:secret}} is secret").build();
  CHECK(told(left, {{"secret", "secret"}}) == "response body, byte 23: secret, as it is: s 6\n");
}

TEST_CASE("a body that cannot be read is told, and random strings are warnings") {
  auto exchange = ExchangeBuilder()
                      .response_body("application/json", "\x1F\x8B\x08 no gzip")
                      .response_header("Content-Encoding", "gzip")
                      .build();
  CHECK(told(exchange) == "warning: a body: undecodable gzip, so it could not be read:  0\n");
  CHECK(told(ExchangeBuilder().response_json(R"({"id":"q7Yx0ZpL9vBn3KdR5tWm2HcFg8JsA1eU"})").build()) ==
        "warning: response body, byte 7: random string: q7Y 32\n");
}

TEST_CASE("the findings of one exchange are bounded") {
  std::string text;
  for (int n = 0; n < 500; ++n) text += "AKIAIOSFODNN7EXAMPLE ";
  const std::string lines = told(ExchangeBuilder().response_body("text/plain", text).build());
  CHECK(std::count(lines.begin(), lines.end(), '\n') == SecretScanner::findings_max);
}
