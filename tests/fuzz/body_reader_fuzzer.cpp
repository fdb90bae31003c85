// A body gives the same events however its bytes are cut into pieces.

#include <string>

#include "proxy/http/body_decoder.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

using namespace tapedeck;
using Kind = BodyDecoder::Event::Kind;

struct Reading {
  std::string data;
  Kind last = Kind::need_more;
  std::string refusal;
  std::size_t consumed = 0;
  Headers trailers;

  friend bool operator==(const Reading&, const Reading&) = default;
};

Reading read_body(const MessageFraming& framing, std::string_view bytes, std::size_t piece_bytes_max) {
  const Limits limits;
  BodyDecoder decoder(framing, limits);
  Reading reading;
  std::size_t fed = 0;
  while (true) {
    const std::string_view piece = bytes.substr(fed, piece_bytes_max);
    std::size_t done = 0;
    do {
      const BodyDecoder::Event event = decoder.next(piece.substr(done));
      TAPEDECK_CHECK(event.consumed <= piece.size() - done);
      TAPEDECK_CHECK(event.kind != Kind::data || !event.data.empty());
      TAPEDECK_CHECK(event.data.size() <= event.consumed);
      done += event.consumed;
      reading.data += event.data;
      reading.last = event.kind;
      reading.refusal = event.refusal.code;
    } while (reading.last == Kind::data);
    reading.consumed += done;
    if (reading.last != Kind::need_more) break;
    TAPEDECK_CHECK(done == piece.size());
    fed += piece.size();
    if (fed >= bytes.size()) {
      const BodyDecoder::Event event = decoder.at_eof();
      TAPEDECK_CHECK(event.kind == Kind::end || event.kind == Kind::refused);
      reading.last = event.kind;
      reading.refusal = event.refusal.code;
      break;
    }
  }
  if (reading.last == Kind::end) reading.trailers = decoder.trailers();
  if (reading.last == Kind::refused) reading.consumed = 0;  // where within the bad line it gave up does not matter
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr BodyFraming framings[] = {BodyFraming::chunked, BodyFraming::content_length, BodyFraming::until_close,
                                      BodyFraming::none};
  fuzz::FuzzInput input(data, size);
  const MessageFraming framing{framings[input.below(4)], input.byte()};
  const std::size_t piece_bytes_max = 1 + input.below(17);
  const Reading whole = read_body(framing, input.rest(), std::string_view::npos);
  TAPEDECK_CHECK(whole == read_body(framing, input.rest(), piece_bytes_max));
  if (whole.last == Kind::end && framing.framing == BodyFraming::content_length) {
    TAPEDECK_CHECK(whole.data.size() == framing.content_length);
  }
  return 0;
}
