// Valid messages, mutated at random: whatever comes out, scan and decoder answer the same however the bytes are split,
// take no more than there is, and what is taken survives being written and read again.

#include <cstdlib>
#include <random>

#include <doctest/doctest.h>

#include "proxy/http/served_head.hpp"
#include "tests/proxy/http/http_transcripts.hpp"

using namespace tapedeck;
using namespace std::string_literals;

namespace {

const std::vector<std::string> heads = {
    "GET /a?b HTTP/1.1\r\nHost: api.roaring.io\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    "POST http://a:80/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: \tå \r\n\r\n5\r\n",
    "\r\nPUT / HTTP/1.0\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nhello",
    "HTTP/1.0 404\r\nDate: x\r\nETag: \"y\"\r\nConnection: X-Y\r\nX-Y: z\r\n\r\n",
    "HTTP/1.1 206 \r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n",
};

const std::vector<std::string> bodies = {
    "5\r\nhello\r\na;b=\"c\\\"\";d\r\n0123456789\r\n0\r\nA: b\r\nC:\r\n\r\nHTTP/1.1",
    "1\r\na\r\n1\r\nb\r\n00\r\n\r\n",
    "0\r\n\r\n",
};

// Bytes and pieces on which parsers differ.
const std::vector<std::string> seasoning = {
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "\0"s,
    " ",
    "\t",
    ":",
    ";",
    "\"",
    "\\",
    ",",
    "0",
    "f",
    "5",
    "\x7f",
    "\x80",
    "chunked",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n ",
    "Host: b\r\n",
    "HTTP/1.1",
    "\r\n\r\n",
    "+",
    "-",
};

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

  const std::string& one_of(const std::vector<std::string>& texts) { return texts[below(texts.size())]; }

  std::string mutate(std::string text) {
    for (auto times = below(4); times > 0; --times) {
      const auto at = below(text.size() + 1);
      switch (below(4)) {
        case 0:
          text.insert(at, one_of(seasoning));
          break;
        case 1:
          text.erase(at, 1 + below(3));
          break;
        case 2:
          text.replace(at, 1, one_of(seasoning));
          break;
        default:
          text.insert(at, text.substr(below(text.size() + 1), below(20)));
          break;
      }
    }
    return text;
  }

  std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> pieces;
    while (!text.empty()) {
      const auto size = std::min(text.size(), 1 + below(12));
      pieces.push_back(text.substr(0, size));
      text.remove_prefix(size);
    }
    return pieces;
  }

 private:
  std::mt19937_64 random_;
};

std::uint64_t chosen_seed() {
  const char* chosen = std::getenv("TAPEDECK_TEST_SEED");
  return chosen ? std::strtoull(chosen, nullptr, 10) : std::random_device{}();
}

Limits small_limits() {
  Limits limits;
  limits.start_line_bytes_max = 64;
  limits.head_bytes_max = 200;
  limits.header_fields_max = 6;
  limits.chunk_line_bytes_max = 24;
  return limits;
}

// A response head that was taken, served, must be taken again.
void check_served(std::string_view bytes, const Limits& limits) {
  ScannedHead head;
  if (scan_response_head(bytes, limits, head).outcome != HeadScan::Outcome::complete) return;
  CHECK(head.head_bytes <= bytes.size());
  Response response;
  response.status = head.status;
  response.reason = head.reason;
  for (const auto& field : head.fields) response.headers.add(field.name, field.value);
  response.body.framing = response_framing(head, "GET").framing;
  ServedContext context;
  context.request_method = "GET";
  const auto served = served_head(response, context, {"https", "a", 443}, std::nullopt);
  ScannedHead again;
  REQUIRE(scan_response_head(served, {}, again).outcome == HeadScan::Outcome::complete);
  CHECK(again.head_bytes == served.size());
  CHECK(response_framing(again, "GET").framing == served_framing(response, context));
}

void check_forwarded(std::string_view bytes, const Limits& limits) {
  ScannedHead head;
  if (scan_request_head(bytes, limits, head).outcome != HeadScan::Outcome::complete) return;
  CHECK(head.head_bytes <= bytes.size());
  Request request;
  request.origin = {"https", "a", 443};
  request.method = head.method;
  request.target = head.target;
  for (const auto& field : head.fields) request.headers.add(field.name, field.value);
  request.body.framing = request_framing(head).framing;
  const auto forwarded = forwarded_head(request, std::nullopt);
  ScannedHead again;
  REQUIRE(scan_request_head(forwarded, {}, again).outcome == HeadScan::Outcome::complete);
  CHECK(again.head_bytes == forwarded.size());
  CHECK(request_framing(again).framing == request_framing(head).framing);
  CHECK(request_framing(again).content_length == request_framing(head).content_length);
}

}  // namespace

TEST_CASE("mutated heads") {
  const auto seed = chosen_seed();
  INFO("TAPEDECK_TEST_SEED=" << seed);
  Mutator mutator(seed);
  for (int round = 0; round < 4000; ++round) {
    const auto bytes = mutator.mutate(mutator.one_of(heads));
    CAPTURE(bytes);
    const auto limits = round % 2 == 0 ? Limits{} : small_limits();
    for (const auto scan : {&scan_request_head, &scan_response_head}) {
      const auto whole = scan_pieces(scan, {bytes}, limits);
      CHECK(scan_pieces(scan, mutator.split(bytes), limits) == whole);
      CHECK(scan_pieces(scan, mutator.split(bytes), limits) == whole);
    }
    check_served(bytes, limits);
    check_forwarded(bytes, limits);
  }
}

TEST_CASE("mutated bodies") {
  const auto seed = chosen_seed();
  INFO("TAPEDECK_TEST_SEED=" << seed);
  Mutator mutator(seed);
  for (int round = 0; round < 8000; ++round) {
    const auto bytes = mutator.mutate(mutator.one_of(bodies));
    CAPTURE(bytes);
    const auto limits = round % 2 == 0 ? Limits{} : small_limits();
    const auto whole = read_pieces({BodyFraming::chunked, 0}, {bytes}, limits, true);
    CHECK(read_pieces({BodyFraming::chunked, 0}, mutator.split(bytes), limits, true) == whole);
    BodyDecoder decoder({BodyFraming::chunked, 0}, limits);
    std::string_view input = bytes;
    while (true) {
      const auto event = decoder.next(input);
      REQUIRE(event.consumed <= input.size());
      input.remove_prefix(event.consumed);
      if (event.kind == BodyDecoder::Event::Kind::need_more) CHECK(input.empty());
      if (event.kind != BodyDecoder::Event::Kind::data) break;
      REQUIRE(event.consumed > 0);
    }
  }
}
