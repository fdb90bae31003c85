#include "storage/redaction/body_stream.hpp"

#include <iostream>
#include <random>

#include <doctest/doctest.h>

#include "storage/redaction/coded_body_redaction.hpp"
#include "storage/redaction/placeholders.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/support/exchange_builder.hpp"

using namespace tapedeck;
using tapedeck::test::ExchangeBuilder;

namespace {

constexpr std::size_t plenty = 1 << 26;

struct Streamed {
  std::string bytes;
  BodyForm form = BodyForm::verbatim;
  std::vector<RedactionCount> counts;
  std::size_t held_most = 0;  // bytes received and not handed out, at any time
};

// `next_size` gives the size of each piece.
template <typename NextSize>
Streamed streamed(BodyRedactionStream& stream, std::string_view bytes, NextSize next_size) {
  Streamed result;
  std::size_t received = 0;
  while (received < bytes.size()) {
    const auto piece = bytes.substr(received, next_size());
    received += piece.size();
    const auto out = stream.push(piece);
    REQUIRE(out.has_value());
    result.bytes += out->bytes();
    result.held_most = std::max(result.held_most, received - std::min(received, result.bytes.size()));
  }
  const auto rest = stream.finish();
  REQUIRE(rest.has_value());
  result.bytes += rest->bytes();
  result.form = stream.form();
  result.counts = stream.take_counts();
  return result;
}

Streamed response_of(const Redactor& redactor, const std::string& type, std::string_view bytes,
                     const std::string& coding = "", std::size_t piece = 7'001) {
  auto exchange = ExchangeBuilder().request_header("X-Api-Key", "canary/key+of the=client").build();
  exchange.response->headers = {{"Content-Type", type}};
  if (!coding.empty()) exchange.response->headers.add("Content-Encoding", coding);
  const auto stream = redactor.stream_response_body(exchange.request, *exchange.response);
  return streamed(*stream, bytes, [&] { return piece; });
}

std::string whole_response_of(const Redactor& redactor, const std::string& type, std::string bytes) {
  auto exchange = ExchangeBuilder().request_header("X-Api-Key", "canary/key+of the=client").build();
  exchange.response->headers = {{"Content-Type", type}};
  exchange.response->body.bytes = std::move(bytes);
  return redactor.redact(exchange)->exchange().response->body.bytes;
}

bool has_count(const Streamed& result, const std::string& rule) {
  return std::any_of(result.counts.begin(), result.counts.end(), [&](const auto& each) { return each.rule == rule; });
}

// Texts of some 300 KB in which secrets stand in slots and come back in various codings.
std::string large_text(const std::string& type, std::mt19937& random) {
  const std::string codings[] = {"canary/key+of the=client", "canary%2Fkey%2Bof%20the%3Dclient",
                                 "canary\\/key+of the=client", base64("x" + std::string("canary/key+of the=client")),
                                 "63616e6172792f6b65792b6f66207468653d636c69656e74"};
  const auto filling = [&] { return std::string(random() % 3'000, "abc .,-0"[random() % 8]); };
  const auto echo = [&] { return codings[random() % std::size(codings)]; };
  std::string text = type == "application/json" ? "[" : "";
  while (text.size() < 300'000) {
    if (type == "application/json") {
      text += R"({"password":"p)" + filling() + R"(","name":")" + filling() + echo() +
              R"(","n":1.50,"s":"{\"jwt\":\"x)" + filling() + R"(\"}"},)" + "\n";
    } else if (type == "application/x-www-form-urlencoded") {
      text += "a=" + percent_encode(filling()) + "&password=p" + percent_encode(filling()) +
              "&b=" + percent_encode(echo()) + "&";
    } else if (type.starts_with("multipart/")) {
      text += "--bound\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\np" + filling() +
              "\r\n--bound\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: image/png\r\n\r\n" +
              filling() + echo() + "\r\n";
    } else if (type == "text/event-stream") {
      text += "data: {\"jwt\":\"x" + filling() + "\",\"a\":\"" + echo() + "\"}\n\n";
    } else {
      text += filling() + echo() + filling() + " \"password\": \"p" + filling() + "\" <secret>" + filling() +
              "s</secret>\n";
    }
  }
  if (type == "application/json") text += "0]";
  if (type.starts_with("multipart/")) text += "--bound--\r\n";
  return text;
}

const std::string all_types[] = {
    "application/json", "application/x-www-form-urlencoded", "text/event-stream", "multipart/form-data; boundary=bound",
    "text/plain",       "application/octet-stream",          "image/png"};

}  // namespace

TEST_CASE("a body redacted as it comes is what it is when redacted as a whole") {
  const unsigned seed = std::random_device{}();
  std::cout << "body streams: seed " << seed << '\n';
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const auto& type : all_types) {
    CAPTURE(type);
    const auto text = large_text(type, random);
    const Redactor redactor({}, Limits{});
    const auto wanted = whole_response_of(redactor, type, text);
    const auto exchange = ExchangeBuilder().response_header("Content-Type", type).build();
    for (const std::size_t size_max : {100, 5'000, 400'000}) {
      auto result = response_of(redactor, type, text, "", 1 + random() % size_max);
      const bool same = result.bytes == wanted;
      CHECK(same);
      CHECK(result.form == BodyForm::edited);
      CHECK(result.bytes.find("canary") == std::string::npos);
    }
  }
}

TEST_CASE("coded bodies are decoded, redacted and coded again as they come") {
  std::mt19937 random(5);
  const auto text = large_text("application/json", random);
  const Redactor redactor({}, Limits{});
  const auto wanted = whole_response_of(redactor, "application/json", text);
  for (const std::string name : {"gzip", "deflate", "br", "zstd"}) {
    CAPTURE(name);
    const auto coding = *content_coding_of(name);
    const auto coded = encode_content(coding, text);
    const auto result = response_of(redactor, "application/json", coded, name, 999);
    CHECK(result.form == BodyForm::edited);
    const bool same = decode_content(coding, result.bytes, plenty).value() == wanted;
    CHECK(same);
    CHECK(result.bytes == response_of(redactor, "application/json", coded, name, 999).bytes);

    SUBCASE("harmless ones too, since that is not known beforehand") {
      const std::string harmless = "[" + std::string(50'000, ' ') + "]";
      const auto again = response_of(redactor, "application/json", encode_content(coding, harmless), name);
      CHECK(again.form == BodyForm::edited);
      CHECK(decode_content(coding, again.bytes, plenty).value() == harmless);
      CHECK(again.counts.empty());
    }
    SUBCASE("what was cut ends open") {
      const auto cut = response_of(redactor, "application/json", coded.substr(0, coded.size() - 5), name);
      const auto prefix = decode_content_prefix(coding, cut.bytes, plenty);
      CHECK(prefix.end == DecodedPrefix::End::cut);
      const bool begins_so = wanted.starts_with(prefix.text.substr(0, prefix.text.size() * 9 / 10));
      CHECK(begins_so);
      CHECK(has_count(cut, "undecodable " + name));
    }
    SUBCASE("bytes behind the end are dropped") {
      const auto more = response_of(redactor, "application/json", coded + "\xFF\xFFgarbage canary", name);
      CHECK(more.bytes.find("canary") == std::string::npos);
      CHECK(has_count(more, "undecodable " + name));
    }
    SUBCASE("an empty body stays empty") {
      CHECK(response_of(redactor, "application/json", "", name).bytes.empty());
    }
  }
}

TEST_CASE("what is called coded and is plain is redacted as it is") {
  const Redactor redactor({}, Limits{});
  const std::string text = R"({"password":"hunter2","more":")" + std::string(100'000, 'x') + R"("})";
  const auto result = response_of(redactor, "application/json", text, "gzip");
  CHECK(result.bytes == R"({"password":"{{tapedeck:password}}","more":")" + std::string(100'000, 'x') + R"("})");
  CHECK(has_count(result, "undecodable gzip"));
}

TEST_CASE("a value without end is held no longer than its bound") {
  struct Row {
    const char* name;
    std::string type;
    std::string before;
    std::string behind;
    std::string clean_before;
    bool secret = true;
  };
  const Row rows[] = {
      {"JSON", "application/json", R"({"password":")", R"("})", R"({"password":"{{tapedeck:password}})"},
      {"harmless JSON", "application/json", R"({"file":")", R"("})", R"({"file":")", false},
      {"a form", "application/x-www-form-urlencoded", "a=1&password=", "&b=1",
       "a=1&password=%7B%7Btapedeck%3Apassword%7D%7D"},
      {"a harmless form", "application/x-www-form-urlencoded", "a=", "&b=1", "a=", false},
      {"a part", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: a; name=password\r\n\r\n", "\r\n--b--",
       "--b\r\nContent-Disposition: a; name=password\r\n\r\n{{tapedeck:password}}"},
      {"loose", "text/plain", R"(oops "password": ")", R"(" x)", R"(oops "password": "{{tapedeck:password}})"},
      {"XML", "text/xml", "<password>", "</password>", "<password>{{tapedeck:password}}"},
  };
  const std::string value(3'000'000, 'v');
  const Redactor redactor({}, Limits{});
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto result = response_of(redactor, row.type, row.before + value + row.behind, "", 10'000);
    const bool same = result.bytes == row.clean_before + (row.secret ? "" : value) + row.behind;
    CHECK(same);
    if (!row.secret) CHECK(result.held_most < 256 * 1024);
  }
}

TEST_CASE("a bomb is refused") {
  const Redactor redactor({}, Limits{});
  auto exchange = ExchangeBuilder().build();
  exchange.response->headers = {{"Content-Encoding", "zstd"}};
  const auto stream = redactor.stream_response_body(exchange.request, *exchange.response);
  const auto bomb = encode_content(ContentCoding::zstd, std::string(200'000'000, '\0'));
  const auto result = stream->push(bomb);
  REQUIRE(result.has_error());
  CHECK(result.error().code == "redaction-impossible");
}

TEST_CASE("a request's body is redacted by rules and by what the user named alone") {
  const Redactor redactor({}, Limits{}, {{"named-by-the-user", "mine"}});
  auto exchange = ExchangeBuilder("POST").request_json(R"({"a":"learned-value-1"})").build();
  exchange.request.headers.add("X-Api-Key", "learned-value-1");
  REQUIRE(redactor.redact(exchange).has_value());
  const auto stream = redactor.stream_request_body(exchange.request);
  const auto result =
      streamed(*stream, R"({"a":"learned-value-1","b":"named-by-the-user","jwt":"x"})", [] { return 5; });
  CHECK(result.bytes == R"({"a":"learned-value-1","b":"{{tapedeck:mine}}","jwt":"{{tapedeck:jwt}}"})");
}

TEST_CASE("an exchange whose bodies went by") {
  const Redactor redactor({}, Limits{});
  auto exchange =
      ExchangeBuilder("POST").request_json("").request_header("Authorization", "Bearer long-token-of-a-client").build();
  exchange.response->headers = {{"Content-Type", "text/plain"},
                                {"Digest", "sha-256=abc"},
                                {"X-Echo", "long-token-of-a-client"},
                                {"ETag", "\"e\""}};
  exchange.response->body = {"", BodyForm::verbatim, BodyFraming::chunked};
  const std::string text = "the token is long-token-of-a-client, " + std::string(100'000, '.');
  exchange.events = {
      {Direction::response, ExchangeEvent::Kind::body_chunk, 1, 0, text.size() / 2},
      {Direction::response, ExchangeEvent::Kind::body_chunk, 2, text.size() / 2, text.size() - text.size() / 2}};

  SUBCASE("changed") {
    const auto stream = redactor.stream_response_body(exchange.request, *exchange.response);
    const auto body = streamed(*stream, text, [] { return 1'000; });
    CHECK(body.bytes == "the token is {{tapedeck:access-token}}, " + std::string(100'000, '.'));
    const auto result = redactor.redact_long(exchange, nullptr, stream.get());
    REQUIRE(result.has_value());
    const auto& response = *result->exchange().response;
    CHECK(response.body.form == BodyForm::edited);
    CHECK(response.headers.find("Digest") == "{{tapedeck:digest}}");
    CHECK(response.headers.find("ETag") == "\"e\"");
    CHECK(response.headers.find("X-Echo") == "{{tapedeck:access-token}}");
    const auto& last = result->exchange().events.back();
    CHECK(last.offset + last.length == body.bytes.size());
  }
  SUBCASE("unchanged") {
    const auto stream = redactor.stream_response_body(exchange.request, *exchange.response);
    streamed(*stream, std::string(100'000, '.'), [] { return 1'000; });
    const auto result = redactor.redact_long(exchange, nullptr, stream.get());
    CHECK(result->exchange().response->body.form == BodyForm::verbatim);
    CHECK(result->exchange().response->headers.find("Digest") == "sha-256=abc");
  }
  SUBCASE("not yet known") {
    exchange.state = ExchangeState::open;
    const auto result = redactor.redact_long(exchange, nullptr, nullptr);
    CHECK(result->exchange().response->headers.find("Digest") == "{{tapedeck:digest}}");
  }
  SUBCASE("counted") {
    const auto stream = redactor.stream_request_body(exchange.request);
    REQUIRE(stream->push(R"({"jwt":"a"})").has_value());
    REQUIRE(stream->finish().has_value());
    const auto result = redactor.redact_long(exchange, stream.get(), nullptr);
    CHECK(std::any_of(result->counts().begin(), result->counts().end(),
                      [](const auto& count) { return count.rule == "json jwt" && count.times == 1; }));
    CHECK(result->exchange().request.body.form == BodyForm::edited);
  }
}
