// Sixty secrets stand in every slot for credentials of a request, and an upstream sends them back everywhere and in
// every coding. Nothing of them may be in what is kept.

#include <iostream>
#include <random>

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/placeholders.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/support/exchange_builder.hpp"

using namespace tapedeck;
using tapedeck::test::ExchangeBuilder;

namespace {

constexpr std::size_t canaries_count = 60;

std::string json_escaped(std::string_view text, bool slashes) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\' || (slashes && c == '/')) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string each_byte(std::string_view bytes, const char* format) {
  std::string text;
  for (const char c : bytes) {
    char coded[16];
    std::snprintf(coded, sizeof coded, format, static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += coded;
  }
  return text;
}

std::string lower_percent(std::string_view text) {
  auto coded = percent_encode(text);
  for (std::size_t i = 0; i < coded.size(); ++i) {
    if (coded[i] != '%') continue;
    for (const auto at : {i + 1, i + 2}) coded[at] = static_cast<char>(std::tolower(coded[at]));
  }
  return coded;
}

// Every way in which a value comes back.
std::vector<std::string> codings_of(const std::string& value) {
  auto form = percent_encode(value);
  for (auto at = form.find("%20"); at != std::string::npos; at = form.find("%20")) form.replace(at, 3, "+");
  return {value,
          percent_encode(value),
          lower_percent(value),
          form,
          percent_encode(percent_encode(value)),
          json_escaped(value, false),
          json_escaped(value, true),
          json_escaped(json_escaped(value, true), false),
          each_byte(value, "\\u%04x"),
          each_byte(value, "\\\\u%04X"),
          each_byte(value, "&#%u;"),
          base64(value),
          base64("x" + value + "y"),
          base64url("xy" + value + "z"),
          percent_encode(base64(value)),
          each_byte(value, "%02x"),
          each_byte(value, "%02X")};
}

class Canaries {
 public:
  explicit Canaries(unsigned seed) : random_(seed) {
    constexpr std::string_view alphabet = "abcXYZ019+/=!~&\"\\ ";
    constexpr std::string_view plain = "abcdefXYZ0123456789";
    for (std::size_t i = 0; i < canaries_count; ++i) {
      std::string value = "c" + std::to_string(i) + "n";
      // Where a cookie or a header stands some bytes cannot.
      const auto& letters = i % 2 == 0 ? alphabet : plain;
      while (value.size() < 16 + i % 30) value.push_back(letters[random_() % letters.size()]);
      all_.push_back(value + "z");
    }
  }

  const std::string& operator[](std::size_t i) const { return all_[i % canaries_count]; }
  const std::string& token(std::size_t i) const { return all_[(2 * i + 1) % canaries_count]; }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::mt19937 random_;
  std::vector<std::string> all_;
};

Request request_with(const Canaries& canaries) {
  std::size_t next = 0;
  const auto any = [&] { return canaries[2 * next++]; };
  std::size_t next_token = 0;
  const auto token = [&] { return canaries.token(next_token++); };
  std::string json = "{";
  for (const char* key : {"password", "client_secret", "api_key", "refresh_token", "private_key", "secret", "jwt"}) {
    json += "\"" + std::string(key) + "\":\"" + json_escaped(any(), true) + "\",";
  }
  json +=
      R"("list":{"access_token":[")" + json_escaped(any(), false) + R"(",")" + json_escaped(any(), false) + R"("]},)";
  json += R"("inner":"{\"password\":\")" + json_escaped(json_escaped(any(), true), false) + R"(\"}",)";
  json += R"("form":"a=1&client_secret=)" + percent_encode(any()) + R"(","code":"business","n":12345678901234567890})";
  std::string target = "/echo?x=1";
  for (const char* key : {"api_key", "access_token", "client_secret", "sig", "password", "token"}) {
    target += "&" + std::string(key) + "=" + percent_encode(any());
  }
  auto request =
      ExchangeBuilder("POST", target)
          .request_header("Authorization", "Basic " + base64(any() + ":" + any()))
          .request_header("Proxy-Authorization", "Bearer " + token())
          .request_header("Cookie", "sid=" + token() + "; other=" + token() + "; third=\"" + token() + "\"")
          .request_header("Referer", "https://" + percent_encode(any()) + ":" + percent_encode(any()) + "@h/")
          .request_json(json)
          .build()
          .request;
  for (const char* name : {"X-Api-Key", "X-Auth-Token", "X-Amz-Security-Token", "X-Client-Secret", "X-Vault-Token"}) {
    request.headers.add(name, token());
  }
  request.trailers.add("X-Access-Token", token());
  // Those that no slot above holds.
  for (; next < canaries_count / 2; ++next) request.headers.add("X-Api-Key", canaries[2 * next]);
  for (; next_token < canaries_count / 2; ++next_token) request.headers.add("X-Api-Key", canaries.token(next_token));
  return request;
}

std::string echoes(const Canaries& canaries, const std::string& type) {
  std::string text = type == "application/json" ? "{" : "";
  for (std::size_t i = 0; i < canaries_count; ++i) {
    for (const auto& coded : codings_of(canaries[i])) {
      if (type == "application/json") {
        text +=
            "\"k" + std::to_string(i) + "\":\"<" + (coded == canaries[i] ? json_escaped(coded, false) : coded) + ">\",";
      } else if (type == "application/x-www-form-urlencoded") {
        text += "k" + std::to_string(i) + "=" + (coded == canaries[i] ? percent_encode(coded) : coded) + "&";
      } else {
        text += "k" + std::to_string(i) + ": " + coded + "\r\n";
      }
    }
  }
  return text + (type == "application/json" ? "\"n\":1}" : "");
}

void append(std::string& all, const Headers& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    all.append(headers[i].name).append("\n").append(headers[i].value).append("\n");
  }
}

void append(std::string& all, const Headers& headers, const Body& body) {
  append(all, headers);
  all += body.bytes + "\n";
  const auto coding = content_coding_of(headers.find("Content-Encoding").value_or("")).value();
  all += decode_content_prefix(coding, body.bytes, 1 << 24).text + "\n";
}

std::string all_bytes(const RedactedExchange& redacted) {
  const auto& exchange = redacted.exchange();
  std::string all = exchange.request.target + "\n";
  append(all, exchange.request.headers, exchange.request.body);
  append(all, exchange.request.trailers);
  append(all, exchange.response->headers, exchange.response->body);
  append(all, exchange.response->trailers);
  all += exchange.response->reason + "\n" + (exchange.failure ? exchange.failure->code : "") + "\n";
  for (const auto& interim : exchange.response->interim) {
    all += interim.reason + "\n";
    append(all, interim.headers);
  }
  for (const auto& count : redacted.counts()) all += count.rule + "\n";
  return all;
}

void check_absent(const Canaries& canaries, const std::string& bytes) {
  for (const auto& canary : canaries.all()) {
    CAPTURE(canary);
    for (const auto& coded : codings_of(canary)) {
      CAPTURE(coded);
      const bool absent = bytes.find(coded) == std::string::npos;
      CHECK(absent);
    }
    for (const std::size_t skipped : {0, 1, 2}) {
      auto inner = base64(std::string_view(canary).substr(skipped));
      inner.resize((canary.size() - skipped) / 3 * 4);
      const bool absent = bytes.find(inner) == std::string::npos;
      CHECK(absent);
    }
  }
}

}  // namespace

TEST_CASE("sixty canaries come back everywhere and none is kept") {
  const unsigned seed = std::random_device{}();
  std::cout << "sixty canaries: seed " << seed << '\n';
  CAPTURE(seed);
  const Canaries canaries(seed);
  const Redactor redactor({}, Limits{});
  const std::string types[] = {"application/json",         "application/x-www-form-urlencoded", "text/html",
                               "application/octet-stream", "multipart/mixed; boundary=b",       "text/event-stream"};
  for (const std::string coding : {"identity", "gzip", "deflate", "br", "zstd"}) {
    for (const auto& type : types) {
      CAPTURE(coding);
      CAPTURE(type);
      Exchange exchange = ExchangeBuilder().build();
      exchange.request = request_with(canaries);
      auto& response = *exchange.response;
      response.headers = {{"Content-Type", type}, {"Content-Encoding", coding}};
      response.body.bytes = encode_content(*content_coding_of(coding), echoes(canaries, type));
      response.reason = "Hello " + canaries[3];
      response.interim.push_back({103, canaries[5], {{"X-Echo", canaries[7]}}});
      for (std::size_t i = 0; i < canaries_count; ++i) {
        const auto codings = codings_of(canaries[i]);
        response.headers.add("X-Echo-" + std::to_string(i), codings[i % codings.size()] + ", " + codings[1]);
        response.trailers.add("X-Echo", codings[(i + 1) % codings.size()]);
        response.headers.add("Location", "/x?next=" + percent_encode(canaries[i]));
        response.headers.add("Link", "<https://h/" + percent_encode(canaries[i]) + ">; rel=next");
        response.headers.add("Set-Cookie", "c=1; Path=/" + percent_encode(canaries[i]));
      }
      exchange.failure.emplace();
      exchange.failure->code = "refused " + canaries[9];
      const auto once = redactor.redact(exchange);
      REQUIRE(once.has_value());
      check_absent(canaries, all_bytes(*once));
      const auto again = redactor.redact(once->exchange());
      for (const auto& count : again->counts()) FAIL_CHECK(count.rule);
    }
  }
}

TEST_CASE("requests that differ in their secrets alone are kept equal, whatever was learned before") {
  const unsigned seed = std::random_device{}();
  std::cout << "equal requests: seed " << seed << '\n';
  CAPTURE(seed);
  const Canaries recorded(seed);
  const Canaries live(seed + 1);
  const Redactor recorder({}, Limits{});
  Exchange exchange = ExchangeBuilder().build();
  exchange.request = request_with(recorded);
  REQUIRE(recorder.redact(exchange).has_value());
  const auto kept = recorder.redact(exchange);
  REQUIRE(kept.has_value());
  const Redactor replayer({}, Limits{});
  auto request = request_with(live);
  REQUIRE(replayer.redact_request(request).has_value());
  CHECK(request.target == kept->exchange().request.target);
  CHECK(request.body.bytes == kept->exchange().request.body.bytes);
  auto kept_headers = kept->exchange().request.headers;
  for (auto* headers : {&request.headers, &kept_headers}) headers->remove("Content-Length");
  CHECK(request.headers == kept_headers);
  CHECK(request.body.bytes.find(R"("code":"business","n":12345678901234567890)") != std::string::npos);
}

TEST_CASE("business data stays where secrets come back beside it") {
  const Redactor redactor({}, Limits{});
  const std::string business =
      R"({"code":"SE-0701234567","phone":"+46701234567","companyId":"5560000000",)"
      R"("id":5560000000123456,"flag":true,"personalNumber":"199001011234","tz":"Europe/Stockholm"})";
  auto exchange = ExchangeBuilder("POST")
                      .request_header("Cookie", "tz=Europe/Stockholm; phone=+46701234567; on=true")
                      .request_header("X-Api-Key", "5560000000123456")
                      .request_json(R"({"password":"199001011234","secret":"true"})")
                      .response_json(business)
                      .build();
  for (int round = 0; round < 2; ++round) {
    const auto result = redactor.redact(exchange);
    CHECK(result->exchange().response->body.bytes == business);
    CHECK(result->exchange().response->body.form == BodyForm::verbatim);
  }
}

TEST_CASE("what the user named is taken out of requests too") {
  const Redactor redactor({}, Limits{}, {{"ACME/17", "tenant"}, {"client", "word"}});
  auto exchange = ExchangeBuilder("POST", "/ACME%2f17/x?t=ACME/17")
                      .request_header("X-Tenant", "ACME/17")
                      .request_header("X-Api-Key", "abc")
                      .request_header("X-Basic", base64("a:ACME/17"))
                      .request_json(encode_content(ContentCoding::br, R"({"a":"ACME\/17","n":1})"))
                      .response_json(R"({"b":"41434d452f3137"})")
                      .build();
  exchange.request.headers.add("Content-Encoding", "br");
  const auto result = redactor.redact(exchange);
  REQUIRE(result.has_value());
  const auto& request = result->exchange().request;
  CHECK(request.target == "/%7B%7Btapedeck%3Atenant%7D%7D/x?t=%7B%7Btapedeck%3Atenant%7D%7D");
  CHECK(request.headers.find("X-Tenant") == "{{tapedeck:tenant}}");
  CHECK(request.headers.find("X-Basic")->find("{{tapedeck:tenant}}") != std::string::npos);
  CHECK(request.headers.find("X-Api-Key") == "{{tapedeck:api-key}}");
  CHECK(decode_content(ContentCoding::br, request.body.bytes, 1000).value() == R"({"a":"{{tapedeck:tenant}}","n":1})");
  CHECK(result->exchange().response->body.bytes == R"({"b":"{{tapedeck:tenant}}"})");
  auto live = exchange.request;
  REQUIRE(redactor.redact_request(live).has_value());
  CHECK(live.target == request.target);
  CHECK(live.headers == request.headers);
  CHECK(live.body.bytes == request.body.bytes);
  CHECK(redactor.redact_text("at ACME/17!") == "at {{tapedeck:tenant}}!");
  CHECK(redactor.redact_target(exchange.request.origin, "/ACME/17") == "/%7B%7Btapedeck%3Atenant%7D%7D");
}

TEST_CASE("an issued token is known from then on, and a JWT stays one") {
  const std::string jwt = base64url(R"({"alg":"RS256"})") + "." + base64url(R"({"sub":"4711"})") + ".c2lnbmF0dXJl";
  const auto ours = placeholder(PlaceholderShape::jwt, "access-token");
  const Redactor redactor({}, Limits{});
  const auto issued =
      redactor.redact(ExchangeBuilder("POST", "/token")
                          .response_json(R"({"access_token":")" + jwt + R"(","refresh_token":"r-0123456789"})")
                          .build());
  CHECK(issued->exchange().response->body.bytes ==
        R"({"access_token":")" + ours + R"(","refresh_token":"{{tapedeck:refresh-token}}"})");
  const auto later = redactor.redact(ExchangeBuilder()
                                         .request_header("Authorization", "Bearer " + jwt)
                                         .response_json("[\"" + jwt + "\",\"r-0123456789\"]")
                                         .build());
  CHECK(later->exchange().response->body.bytes == "[\"" + ours + R"(","{{tapedeck:refresh-token}}"])");
  CHECK(later->exchange().request.headers.find("Authorization") == "Bearer {{tapedeck:access-token}}");
  for (const auto& count : redactor.redact(issued->exchange())->counts()) FAIL_CHECK(count.rule);
}
