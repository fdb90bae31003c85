// Redacting twice gives what redacting once gives, a live request is redacted as its recording was, a text redacted as
// it comes is what it is when redacted as a whole, and a secret that stood in a slot comes back nowhere.

#include "storage/redaction/body_secrets.hpp"
#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/placeholders.hpp"
#include "storage/redaction/redactor.hpp"
#include "storage/redaction/text_redaction.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/exchange_builder.hpp"

namespace {

using namespace tapedeck;

// What is learned from one input must not change what becomes of the next.
Redactor fresh_redactor() {
  static const Profile roaring = load_profile("roaring").value();
  Limits limits;
  limits.decoded_body_bytes_max = 1024 * 1024;
  return Redactor({roaring}, limits);
}

bool same(const Body& left, const Body& right) {
  return left.bytes == right.bytes && left.framing == right.framing;
}

bool same(const Request& left, const Request& right) {
  return left.target == right.target && left.headers == right.headers && same(left.body, right.body) &&
         left.trailers == right.trailers;
}

constexpr std::string_view types[] = {"application/json",
                                      "application/x-www-form-urlencoded",
                                      "text/plain",
                                      "application/octet-stream",
                                      "application/problem+json; charset=utf-8",
                                      "multipart/form-data; boundary=b",
                                      "text/event-stream",
                                      "text/xml"};
constexpr std::string_view canary = "cAnary/0123+4567=89";

// Each byte 1 stands for the canary, in a coding that depends on its place.
std::string with_canaries(std::string_view text) {
  const std::string codings[] = {std::string(canary), percent_encode(canary), base64(canary),
                                 base64("a" + std::string(canary)), "cAnary\\/0123\\u002b4567=89"};
  std::string full;
  for (const char c : text) {
    if (c == 1) {
      full += codings[full.size() % std::size(codings)];
    } else {
      full.push_back(c);
    }
  }
  return full;
}

Exchange exchange_of(fuzz::FuzzInput& input) {
  constexpr std::string_view codings[] = {"", "", "gzip", "deflate", "br", "zstd", "compress"};
  const std::string_view request_type = types[input.below(std::size(types))];
  const std::string_view response_type = types[input.below(std::size(types))];
  const std::string_view coding = codings[input.below(std::size(codings))];
  const bool coded = input.below(2) == 1;
  const std::string target = "/" + std::string(input.text());
  test::ExchangeBuilder builder("POST", target);
  builder.request_header("Authorization", input.text());
  builder.request_header("X-Api-Key", canary);
  builder.request_body(request_type, input.text());
  if (!coding.empty()) builder.response_header("Content-Encoding", coding);
  builder.response_header("Location", with_canaries(input.text()));
  const auto body = with_canaries(input.rest());
  const auto known = content_coding_of(coding);
  builder.response_body(response_type, coded && known ? encode_content(*known, body) : body);
  return builder.build();
}

// By rules alone, without what is learned.
void check_stream(std::string_view type, std::string_view text, std::size_t piece_bytes) {
  static const RuleTable table({load_profile("roaring").value()});
  const RuleScope scope{table, 1};
  const Headers headers{{"Content-Type", type}};
  Body body{std::string(text)};
  auto whole = BodyRedaction::open(headers, body, text.size(), nullptr);
  whole->apply_rules(scope, nullptr);
  whole->close();
  TextRedaction redaction(type, scope, std::make_shared<KnownSecrets>(std::vector<LiteralSecret>()), piece_bytes);
  std::string redacted;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) redaction.push(text.substr(at, piece_bytes), redacted);
  redaction.finish(redacted);
  TAPEDECK_CHECK(redacted == body.bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::size_t piece_bytes = 1 + input.below(64);
  const Exchange exchange = exchange_of(input);
  check_stream(exchange.response->headers.find("Content-Type").value(), input.rest(), piece_bytes);
  const Redactor redactor = fresh_redactor();
  const Result<RedactedExchange> once = redactor.redact(exchange);
  if (!once) return 0;
  const Result<RedactedExchange> twice = redactor.redact(once->exchange());
  TAPEDECK_CHECK(twice);
  TAPEDECK_CHECK(same(twice->exchange().request, once->exchange().request));
  TAPEDECK_CHECK(twice->exchange().response->headers == once->exchange().response->headers);
  TAPEDECK_CHECK(same(twice->exchange().response->body, once->exchange().response->body));

  const auto& kept = *once->exchange().response;
  TAPEDECK_CHECK(kept.body.bytes.find(canary) == std::string::npos);
  TAPEDECK_CHECK(kept.headers.find("Location")->find(canary) == std::string_view::npos);

  Request live = exchange.request;
  TAPEDECK_CHECK(redactor.redact_request(live));
  TAPEDECK_CHECK(same(live, once->exchange().request));
  return 0;
}
