// Redacting twice gives what redacting once gives, and a live request is redacted as its recording was.

#include "storage/redaction/redactor.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/exchange_builder.hpp"

namespace {

using namespace tapedeck;

const Redactor& redactor() {
  static const Redactor instance = [] {
    Limits limits;
    limits.decoded_body_bytes_max = 1024 * 1024;
    return Redactor({load_profile("roaring").value()}, limits);
  }();
  return instance;
}

bool same(const Body& left, const Body& right) {
  return left.bytes == right.bytes && left.framing == right.framing;
}

bool same(const Request& left, const Request& right) {
  return left.target == right.target && left.headers == right.headers && same(left.body, right.body) &&
         left.trailers == right.trailers;
}

Exchange exchange_of(fuzz::FuzzInput& input) {
  constexpr std::string_view types[] = {"application/json", "application/x-www-form-urlencoded", "text/plain",
                                        "application/octet-stream", "application/problem+json; charset=utf-8"};
  constexpr std::string_view codings[] = {"", "", "gzip", "deflate", "br"};
  const std::string_view request_type = types[input.below(std::size(types))];
  const std::string_view response_type = types[input.below(std::size(types))];
  const std::string_view coding = codings[input.below(std::size(codings))];
  const std::string target = "/" + std::string(input.text());
  test::ExchangeBuilder builder("POST", target);
  builder.request_header("Authorization", input.text());
  builder.request_body(request_type, input.text());
  if (!coding.empty()) builder.response_header("Content-Encoding", coding);
  builder.response_header("Location", input.text());
  builder.response_body(response_type, input.rest());
  return builder.build();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const Exchange exchange = exchange_of(input);
  const Result<RedactedExchange> once = redactor().redact(exchange);
  if (!once) return 0;
  const Result<RedactedExchange> twice = redactor().redact(once->exchange());
  TAPEDECK_CHECK(twice);
  TAPEDECK_CHECK(same(twice->exchange().request, once->exchange().request));
  TAPEDECK_CHECK(twice->exchange().response->headers == once->exchange().response->headers);
  TAPEDECK_CHECK(same(twice->exchange().response->body, once->exchange().response->body));

  Request live = exchange.request;
  TAPEDECK_CHECK(redactor().redact_request(live));
  TAPEDECK_CHECK(same(live, once->exchange().request));
  return 0;
}
