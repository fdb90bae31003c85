#include "storage/redaction/redactor.hpp"

#include <iostream>
#include <random>

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/placeholders.hpp"
#include "tests/support/exchange_builder.hpp"

using namespace tapedeck;
using tapedeck::test::ExchangeBuilder;

namespace {

Profile roaring() {
  Profile profile;
  profile.name = "roaring";
  profile.hosts = {"api.roaring.io"};
  profile.redaction = {{SecretPlace::json, "access_token", "access-token", PlaceholderShape::uuid},
                       {SecretPlace::json, "iban", "iban", PlaceholderShape::tagged},
                       {SecretPlace::header, "x-partner", "partner", PlaceholderShape::tagged}};
  return profile;
}

const Redactor& redactor() {
  static const Redactor with_roaring({roaring()}, Limits{});
  return with_roaring;
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

// Every byte of the exchange that reaches a cassette, and coded bodies in clear too.
std::string all_bytes(const RedactedExchange& redacted) {
  const auto& exchange = redacted.exchange();
  std::string all = exchange.request.method + "\n" + exchange.request.target + "\n";
  append(all, exchange.request.headers, exchange.request.body);
  append(all, exchange.request.trailers);
  if (exchange.response) {
    append(all, exchange.response->headers, exchange.response->body);
    append(all, exchange.response->trailers);
    for (const auto& interim : exchange.response->interim) append(all, interim.headers);
  }
  for (const auto& count : redacted.counts()) all += count.rule + "\n";
  return all;
}

std::string coded_base64(std::string_view bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i + 2 < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[at])); };
    const unsigned three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (const unsigned shift : {18, 12, 6, 0}) text.push_back(digits[(three >> shift) & 63]);
  }
  return text;
}

class Canaries {
 public:
  explicit Canaries(unsigned seed) : random_(seed) {}

  // With characters that are coded differently in each place.
  std::string fresh(std::string_view alphabet = "abcXYZ019+/=!~") {
    std::string secret = "cnry";
    while (secret.size() < 24) secret.push_back(alphabet[random_() % alphabet.size()]);
    return all_.emplace_back(secret);
  }

  // Each secret as it is, percent-coded, and in base64 at each of its three alignments.
  void check_absent_in(const std::string& bytes) const {
    for (const auto& secret : all_) {
      CAPTURE(secret);
      CHECK(bytes.find(secret) == std::string::npos);
      CHECK(bytes.find(percent_encode(secret)) == std::string::npos);
      for (std::size_t skipped = 0; skipped < 3; ++skipped) {
        CHECK(bytes.find(coded_base64(std::string_view(secret).substr(skipped))) == std::string::npos);
      }
    }
  }
  std::size_t size() const { return all_.size(); }

 private:
  std::mt19937 random_;
  std::vector<std::string> all_;
};

RedactedExchange redacted(const Exchange& exchange) {
  auto result = redactor().redact(exchange);
  REQUIRE(result.has_value());
  return *std::move(result);
}

std::uint64_t times(const RedactedExchange& exchange, const std::string& rule) {
  for (const auto& count : exchange.counts()) {
    if (count.rule == rule) return count.times;
  }
  return 0;
}

bool same(const Request& left, const Request& right) {
  return left.target == right.target && left.headers == right.headers && left.body.bytes == right.body.bytes &&
         left.trailers == right.trailers;
}

}  // namespace

TEST_CASE("no canary is left in any byte") {
  const unsigned seed = std::random_device{}();
  std::cout << "canaries: seed " << seed << '\n';
  CAPTURE(seed);
  Canaries canaries(seed);
  const auto raw = [&] { return canaries.fresh(); };
  const auto coded = [&] { return percent_encode(canaries.fresh()); };
  const auto token = [&] { return canaries.fresh("abcdefXYZ0123456789"); };

  for (const ContentCoding coding : {ContentCoding::identity, ContentCoding::gzip, ContentCoding::deflate}) {
    const char* const name = coding == ContentCoding::gzip      ? "gzip"
                             : coding == ContentCoding::deflate ? "deflate"
                                                                : "identity";
    CAPTURE(name);
    const auto form = "grant_type=authorization_code&code=" + coded() + "&client_id=" + coded() +
                      "&client%5Fsecret=" + coded() + "&Refresh_Token=" + coded() + "&user[password]=" + coded() +
                      "&password=" + token();
    const auto json = R"({"access_token":")" + raw() + R"(","a":[{"refreshToken":")" + raw() + R"("},{"api_key":[")" +
                      raw() + R"(",")" + raw() + R"("]}],"\u0063lient_secret":")" + raw() +
                      R"(","next":"https://h/x?hapikey=)" + coded() + R"(&page=2","iban":")" + raw() +
                      R"(","private_key":"\n)" + raw() + R"(\n"})";
    auto exchange = ExchangeBuilder("POST", "/token?api_key=" + coded() + "&x=1&authCode=" + token() +
                                                "&code=" + token() + "&state=s")
                        .request_header("Authorization", "Basic " + coded_base64(raw() + ":::" + raw() + "::"))
                        .request_header("Proxy-Authorization", "Bearer " + raw())
                        .request_header("Cookie", "sid=" + token() + "; other=" + token())
                        .request_header("X-API-Key", raw())
                        .request_header("X-Partner", raw())
                        .request_header("Referer", "https://" + token() + ":" + token() + "@h/?access_token=" + coded())
                        .request_form(encode_content(coding, form))
                        .response_header("Set-Cookie", "sid=" + token() + "; Path=/; HttpOnly")
                        .response_header("Set-Cookie", "b=" + token())
                        .response_header("Location", "https://app/cb?code=" + token() + "&state=1#id_token=" + token())
                        .response_header("Link", "</x?jwt=" + coded() + ">; rel=\"next\"")
                        .response_header("Content-MD5", coded_base64(token()))
                        .response_json(encode_content(coding, json))
                        .build();
    exchange.request.headers.add("Content-Encoding", name);
    exchange.response->headers.add("Content-Encoding", name);
    exchange.request.trailers.add("X-Auth-Token", raw());
    exchange.response->trailers.add("Authorization", raw());
    exchange.response->interim.push_back({103, "Early Hints", {{"Link", "<https://h/?token=" + coded() + ">"}}});

    const auto result = redacted(exchange);
    canaries.check_absent_in(all_bytes(result));
    CHECK(result.exchange().request.body.form == BodyForm::edited);
    CHECK(result.exchange().response->body.form == BodyForm::edited);
  }
  CHECK(canaries.size() > 90);
}

TEST_CASE("a body cut at any byte shows no canary") {
  const std::string secret = "canary-of-some-length";
  const std::string text =
      R"({"a":"åäö","client_secret":")" + secret + R"(","list":{"jwt":[")" + secret + R"("]},"b":1})";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    CAPTURE(size);
    const auto exchange = ExchangeBuilder().response_json(text.substr(0, size)).build();
    // A piece of the secret is one, too; its first letters are in other words.
    CHECK(redacted(exchange).exchange().response->body.bytes.find("canary") == std::string::npos);
  }
}

TEST_CASE("a token answer of roaring.io") {
  const auto exchange = ExchangeBuilder("POST", "/token")
                            .request_header("Authorization", "Basic a2V5OnNlY3JldA==")
                            .request_form("grant_type=client_credentials")
                            .response_json(R"({"access_token":"1f0e","token_type":"Bearer","expires_in":3600})")
                            .build();
  const auto result = redacted(exchange);
  const auto uuid = placeholder(PlaceholderShape::uuid, "access-token");
  CHECK(result.exchange().response->body.bytes ==
        R"({"access_token":")" + uuid + R"(","token_type":"Bearer","expires_in":3600})");
  CHECK(result.exchange().request.body.bytes == "grant_type=client_credentials");
  CHECK(result.exchange().request.body.form == BodyForm::verbatim);
  CHECK(times(result, "header authorization") == 1);
  CHECK(times(result, "json access_token") == 1);

  SUBCASE("the placeholder sent back is the same as any live token") {
    auto replayed = ExchangeBuilder().request_header("Authorization", "Bearer " + uuid).build().request;
    auto live = ExchangeBuilder().request_header("Authorization", "Bearer 0a1b2c").build().request;
    REQUIRE(redactor().redact_request(replayed).has_value());
    REQUIRE(redactor().redact_request(live).has_value());
    CHECK(replayed.headers == live.headers);
  }
  SUBCASE("another host gets the built-in rules alone") {
    const auto other = redacted(ExchangeBuilder()
                                    .origin("https", "api.example", 443)
                                    .response_json(R"({"access_token":"1f0e","iban":"SE1"})")
                                    .build());
    CHECK(other.exchange().response->body.bytes == R"({"access_token":"{{tapedeck:access-token}}","iban":"SE1"})");
  }
}

TEST_CASE("an exchange without secrets stays as it is") {
  const auto exchange =
      ExchangeBuilder("POST", "/se/company/overview/2.0/?code=x&countryCode=SE")
          .request_json(R"({"companyIds":["5500000012"],"requestKey":"k-1"})")
          .response_header("ETag", "\"abc\"")
          .response_header("Content-MD5", "abc")
          .response_json(R"({"records":[{"code":"ADDRESS","town":"MALMÖ","n":1.50}],"status":{"code":0,"text":"x"}})")
          .build();
  const auto result = redacted(exchange);
  CHECK(same(result.exchange().request, exchange.request));
  CHECK(result.exchange().response->headers == exchange.response->headers);
  CHECK(result.exchange().response->body.bytes == exchange.response->body.bytes);
  CHECK(result.exchange().response->body.form == BodyForm::verbatim);
  CHECK(result.counts().empty());
}

TEST_CASE("digests go with the body they were of, entity tags stay") {
  const auto result = redacted(ExchangeBuilder()
                                   .response_json(R"({"jwt":"x"})")
                                   .response_header("Content-MD5", "abc")
                                   .response_header("ETag", "\"abc\"")
                                   .build());
  CHECK(result.exchange().response->headers.find("Content-MD5") == "{{tapedeck:digest}}");
  CHECK(result.exchange().response->headers.find("ETag") == "\"abc\"");
}

TEST_CASE("chunks still cover a body that was changed, and a cut stands inside it") {
  const std::string text = R"({"password":")" + std::string(1000, 'x') + R"(","b":)";
  auto exchange = ExchangeBuilder().response_json(text).build();
  exchange.state = ExchangeState::cut;
  exchange.failure.emplace();
  exchange.failure->response_bytes = text.size();
  for (std::uint64_t at = 0; at < text.size(); at += 100) {
    exchange.events.push_back({Direction::response, ExchangeEvent::Kind::body_chunk, static_cast<std::int64_t>(at), at,
                               std::min<std::uint64_t>(100, text.size() - at)});
  }
  exchange.events.push_back({Direction::request, ExchangeEvent::Kind::body_chunk, 0, 0, 0});
  const auto result = redacted(exchange);
  const auto size = result.exchange().response->body.bytes.size();
  REQUIRE(size < text.size());
  std::uint64_t expected = 0;
  for (const auto& event : result.exchange().events) {
    if (event.direction != Direction::response) continue;
    CHECK(event.offset == expected);
    expected = event.offset + event.length;
  }
  CHECK(expected == size);
  CHECK(result.exchange().failure->response_bytes == size);
}

TEST_CASE("a failure in place of a response") {
  const auto result = redacted(ExchangeBuilder()
                                   .request_header("X-Api-Key", "k")
                                   .failure(NetworkFailure::Phase::connect, NetworkFailure::Kind::refused)
                                   .build());
  CHECK(result.exchange().request.headers.find("X-Api-Key") == "{{tapedeck:api-key}}");
  CHECK(result.exchange().failure.has_value());
}

TEST_CASE("a bomb is not kept") {
  Limits limits;
  limits.decoded_body_bytes_max = 1000;
  auto exchange = ExchangeBuilder().request_json(encode_content(ContentCoding::gzip, std::string(1001, ' '))).build();
  exchange.request.headers.add("Content-Encoding", "gzip");
  const Redactor small({}, limits);
  CHECK(small.redact(exchange).error().code == "redaction-impossible");
  CHECK(small.redact_request(exchange.request).error().code == "redaction-impossible");
}

TEST_CASE("targets for logs") {
  const Origin origin{"https", "api.hubapi.com", 443};
  CHECK(redactor().redact_target(origin, "/a?hapikey=k&b=c") == "/a?hapikey=%7B%7Btapedeck%3Aapi-key%7D%7D&b=c");
  CHECK(redactor().redact_target(origin, "/a?b=c") == "/a?b=c");
  CHECK(redactor().redact_target(origin, "*") == "*");
}

namespace {

// Writes a text twice: as it came, and as it must look when its secrets are gone.
struct Twin {
  std::string given;
  std::string wanted;
  void both(std::string_view text) {
    given.append(text);
    wanted.append(text);
  }
};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }

  void json(Twin& twin, int depth) {
    switch (below(depth > 4 ? 4 : 7)) {
      case 0:
        return twin.both('"' + string_content() + '"');
      case 1:
        return twin.both("-12345678901234567890.50e+3");
      case 2:
        return twin.both(below(2) == 0 ? "true" : "null");
      case 3:
        return twin.both("{ }");
      case 4: {
        twin.both("[");
        for (std::size_t left = below(4); left > 0; --left) {
          json(twin, depth + 1);
          if (left > 1) twin.both(" ,");
        }
        return twin.both("]");
      }
      default:
        return object(twin, depth);
    }
  }

  std::string damaged(std::string text) {
    for (std::size_t left = below(3); left > 0 && !text.empty(); --left) {
      switch (below(3)) {
        case 0:
          text.resize(below(text.size() + 1));
          break;
        case 1:
          text[below(text.size())] = static_cast<char>(random_());
          break;
        default:
          text.insert(below(text.size() + 1), 1, "\"{}[],:\\&=;?#"[below(13)]);
          break;
      }
    }
    return text;
  }

  std::string form() {
    std::string text;
    for (std::size_t left = below(5); left > 0; --left)
      text += form_key() + "=" + percent_encode(string_content()) + "&";
    return text;
  }

 private:
  void object(Twin& twin, int depth) {
    twin.both("{");
    for (std::size_t left = 1 + below(4); left > 0; --left) {
      if (below(3) == 0) {
        twin.both(R"("client\u005Fsecret" : ")");
        twin.given += "x" + string_content();
        twin.wanted += "{{tapedeck:client-secret}}";
        twin.both("\"");
      } else {
        static constexpr const char* keys[] = {
            "\"code\":", "\"namn\": ", "\"status\"\n:", "\"åäö\":", "\"token_type\":"};
        twin.both(keys[below(std::size(keys))]);
        json(twin, depth + 1);
      }
      if (left > 1) twin.both(", ");
    }
    twin.both("}");
  }

  std::string form_key() {
    static constexpr const char* keys[] = {"password", "code", "grant_type", "client%5fsecret", "a", "state", "jwt"};
    return keys[below(std::size(keys))];
  }

  std::string string_content() {
    static constexpr const char* parts[] = {"abc", "åäö", "\\\"", "\\u00e5", " ", "{{tapedeck:x}}", "1", "&=", "\\\\"};
    std::string text;
    for (std::size_t left = below(4); left > 0; --left) text += parts[below(std::size(parts))];
    return text;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("in generated JSON only the secrets change") {
  const unsigned seed = std::random_device{}();
  std::cout << "generated JSON: seed " << seed << '\n';
  CAPTURE(seed);
  Generator generator(seed);
  for (int round = 0; round < 500; ++round) {
    Twin twin;
    twin.both("[");
    generator.json(twin, 0);
    twin.both("]");
    CAPTURE(twin.given);
    const auto result = redacted(ExchangeBuilder().response_json(twin.given).build());
    REQUIRE(result.exchange().response->body.bytes == twin.wanted);
  }
}

TEST_CASE("redacting what is redacted changes nothing, damaged or not") {
  const unsigned seed = std::random_device{}();
  std::cout << "idempotence: seed " << seed << '\n';
  CAPTURE(seed);
  Generator generator(seed);
  constexpr ContentCoding codings[] = {ContentCoding::identity, ContentCoding::gzip, ContentCoding::deflate};
  for (int round = 0; round < 1000; ++round) {
    Twin twin;
    generator.json(twin, 0);
    const auto json = generator.damaged(twin.given);
    const auto form = generator.damaged(generator.form());
    const auto coding = codings[generator.below(3)];
    CAPTURE(json);
    CAPTURE(form);
    auto exchange = ExchangeBuilder("POST", "/x?" + form)
                        .request_header("Cookie", form)
                        .request_header("Authorization", form)
                        .request_header("Link", json)
                        .request_form(form)
                        .response_header("Location", "/x?" + form)
                        .response_json(encode_content(coding, json))
                        .build();
    if (coding != ContentCoding::identity) {
      exchange.response->headers.add("Content-Encoding", coding == ContentCoding::gzip ? "gzip" : "deflate");
    }
    const auto once = redacted(exchange).exchange();
    const auto again = redacted(once);
    for (const auto& count : again.counts()) FAIL_CHECK(count.rule);
    REQUIRE(same(again.exchange().request, once.request));
    REQUIRE(again.exchange().response->headers == once.response->headers);
    REQUIRE(again.exchange().response->body.bytes == once.response->body.bytes);
    // A live request is redacted as its recording was.
    auto request = exchange.request;
    REQUIRE(redactor().redact_request(request).has_value());
    REQUIRE(same(request, once.request));
  }
}

TEST_CASE("Where two secrets overlap, nothing of either is kept") {
  // What calls itself a form and is broken JSON: the value of the JSON key reaches into that of the form's.
  const Redactor redactor({}, Limits{});
  auto exchange = ExchangeBuilder().build();
  exchange.response->headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  exchange.response->body.bytes = R"({"password":"first-half?jwt=second-half{"password":"x"}the-end)";
  const auto once = redactor.redact(exchange);
  REQUIRE(once.has_value());
  CHECK(once->exchange().response->body.bytes == R"({"password":"{{tapedeck:password}})");
  const auto twice = redactor.redact(once->exchange());
  REQUIRE(twice.has_value());
  CHECK(twice->exchange().response->body.bytes == once->exchange().response->body.bytes);
}
