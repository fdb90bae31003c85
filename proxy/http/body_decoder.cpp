#include "proxy/http/body_decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace tapedeck {

namespace {

constexpr HeadRefusal body_cut{400, "body-cut", "the connection ended before the body did; send the body whole"};
constexpr HeadRefusal bad_chunk_size{400, "bad-chunk-size",
                                     "a chunk size is not 1 to 16 hexadecimal digits below 2^63; correct it"};
constexpr HeadRefusal bad_chunk_end{400, "bad-chunk-end", "a chunk's data is not followed by CRLF; correct its size"};
constexpr HeadRefusal bad_extension{400, "bad-chunk-extension", "a chunk extension is malformed; leave it out"};
constexpr HeadRefusal line_too_long{400, "chunk-line-too-long", "a chunk-size line is over the limit; shorten it"};
constexpr HeadRefusal extensions_too_long{400, "chunk-extensions-too-long",
                                          "the chunk extensions outgrow the data; leave them out"};
constexpr HeadRefusal bare_lf{400, "bare-lf", "a line ends with LF alone; end lines with CRLF"};
constexpr HeadRefusal bare_cr{400, "bare-cr", "a CR stands alone within a line; end lines with CRLF"};
constexpr HeadRefusal trailers_too_long{431, "trailers-too-long", "the trailers are over the limit; shorten them"};
constexpr HeadRefusal too_many_trailers{431, "too-many-trailers", "there are more trailers than the limit; send fewer"};
constexpr HeadRefusal forbidden_trailer{400, "forbidden-trailer",
                                        "a trailer field may only stand in a head; send it there"};

constexpr std::uint64_t body_bytes_max = std::numeric_limits<std::int64_t>::max();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

bool is_forbidden_trailer(std::string_view name) {
  static constexpr std::array<std::string_view, 25> forbidden = {
      "transfer-encoding",
      "content-length",
      "host",
      "trailer",
      "connection",
      "keep-alive",
      "proxy-connection",
      "te",
      "upgrade",
      "authorization",
      "proxy-authorization",
      "proxy-authenticate",
      "cookie",
      "set-cookie",
      "content-encoding",
      "content-type",
      "content-range",
      "cache-control",
      "expect",
      "max-forwards",
      "range",
      "location",
      "alt-svc",
      "www-authenticate",
      "tapedeck-session",
  };
  return std::any_of(forbidden.begin(), forbidden.end(), [&](std::string_view other) {
    return other.size() == name.size() && equal_without_case(other, name);
  });
}

BodyDecoder::BodyDecoder(MessageFraming framing, const Limits& limits)
    : state_(State::ended),
      chunk_line_bytes_max_(limits.chunk_line_bytes_max),
      head_bytes_max_(limits.head_bytes_max),
      fields_max_(limits.header_fields_max) {
  switch (framing.framing) {
    case BodyFraming::none:
      break;
    case BodyFraming::content_length:
      left_ = framing.content_length;
      state_ = left_ > 0 ? State::counted : State::ended;
      break;
    case BodyFraming::chunked:
      state_ = State::chunk_size;
      break;
    case BodyFraming::until_close:
      state_ = State::until_close;
      break;
  }
}

BodyDecoder::Event BodyDecoder::refuse(const HeadRefusal& refusal, std::size_t consumed) {
  state_ = State::refused;
  refusal_ = refusal;
  return {Event::Kind::refused, consumed, {}, refusal_};
}

BodyDecoder::Event BodyDecoder::take_data(std::string_view input, std::size_t already_consumed) {
  auto data = input.substr(already_consumed);
  if (state_ != State::until_close) {
    data = data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size())));
    left_ -= data.size();
  }
  if (state_ == State::chunk_data) chunk_data_bytes_ += data.size();
  if (state_ != State::until_close && left_ == 0) {
    state_ = state_ == State::counted ? State::ended : State::data_cr;
    size_digits_ = 0;
  }
  return {Event::Kind::data, already_consumed + data.size(), data, {}};
}

BodyDecoder::Event BodyDecoder::next(std::string_view input) {
  for (std::size_t at = 0;; ++at) {
    if (state_ == State::ended) return {Event::Kind::end, at, {}, {}};
    if (state_ == State::refused) return {Event::Kind::refused, at, {}, refusal_};
    if (at == input.size()) return {Event::Kind::need_more, at, {}, {}};
    if (state_ == State::counted || state_ == State::until_close || state_ == State::chunk_data) {
      return take_data(input, at);
    }
    if (const auto* refusal = step(input[at])) return refuse(*refusal, at);
  }
}

BodyDecoder::Event BodyDecoder::at_eof() {
  if (state_ == State::until_close) state_ = State::ended;
  if (state_ == State::ended) return {Event::Kind::end, 0, {}, {}};
  return refuse(state_ == State::refused ? HeadRefusal(refusal_) : body_cut, 0);
}

// One byte of chunk framing or of the trailers.
const HeadRefusal* BodyDecoder::step(char byte) {
  switch (state_) {
    case State::chunk_size:
      return step_chunk_size(byte);
    case State::extension:
      return step_extension(byte);
    case State::size_lf:
      return byte == '\n' ? end_chunk_size_line() : &bare_cr;
    case State::data_cr:
      state_ = State::data_lf;
      return byte == '\r' ? nullptr : &bad_chunk_end;
    case State::data_lf:
      state_ = State::chunk_size;
      return byte == '\n' ? nullptr : &bad_chunk_end;
    default:
      break;
  }
  if (++trailer_bytes_ > head_bytes_max_) return &trailers_too_long;
  trailer_line_ += byte;
  return byte == '\n' ? end_trailer_line() : nullptr;
}

const HeadRefusal* BodyDecoder::step_chunk_size(char byte) {
  constexpr unsigned digits_max = 16;
  const int digit = hex_value(byte);
  if (digit >= 0) {
    if (++size_digits_ > digits_max || left_ > body_bytes_max >> 4) return &bad_chunk_size;
    left_ = left_ << 4 | static_cast<unsigned>(digit);
    return nullptr;
  }
  if (byte == '\n') return &bare_lf;
  if (size_digits_ == 0) return &bad_chunk_size;
  if (byte == '\r') {
    state_ = State::size_lf;
  } else if (byte == ';') {
    state_ = State::extension;
    extension_state_ = ExtensionState::name_start;
    line_bytes_ = size_digits_ + 1;
    ++extension_bytes_;
  } else {
    return &bad_chunk_size;
  }
  return nullptr;
}

// chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] ), without the white space that RFC 9112 §7.1.1 calls bad:
// parsers skip it differently. A line may not end within a quoted string, nor hold a bare LF there.
const HeadRefusal* BodyDecoder::step_extension(char byte) {
  using S = ExtensionState;
  if (++line_bytes_ > chunk_line_bytes_max_) return &line_too_long;
  if (++extension_bytes_ > chunk_data_bytes_ + head_bytes_max_) return &extensions_too_long;
  if (byte == '\n') return &bare_lf;
  auto& state = extension_state_;
  if (state == S::quoted || state == S::quoted_pair) {
    if (is_control(byte)) return &bad_extension;
    const bool literal = state == S::quoted_pair;
    state = literal ? S::quoted : byte == '"' ? S::after_quoted : byte == '\\' ? S::quoted_pair : S::quoted;
    return nullptr;
  }
  const bool may_end = state == S::name || state == S::token_value || state == S::after_quoted;
  if (byte == '\r' && may_end) {
    state_ = State::size_lf;
  } else if (byte == ';' && may_end) {
    state = S::name_start;
  } else if (byte == '=' && state == S::name) {
    state = S::value_start;
  } else if (byte == '"' && state == S::value_start) {
    state = S::quoted;
  } else if (state != S::after_quoted && is_token(std::string_view(&byte, 1))) {
    state = state == S::name_start || state == S::name ? S::name : S::token_value;
  } else {
    return &bad_extension;
  }
  return nullptr;
}

const HeadRefusal* BodyDecoder::end_chunk_size_line() {
  if (left_ > body_bytes_max - chunk_data_bytes_) return &bad_chunk_size;
  state_ = left_ > 0 ? State::chunk_data : State::trailer_line;
  return nullptr;
}

const HeadRefusal* BodyDecoder::end_trailer_line() {
  const std::string_view line = trailer_line_;
  if (line.size() < 2 || line[line.size() - 2] != '\r') return &bare_lf;
  if (line.size() == 2) {
    state_ = State::ended;
    return nullptr;
  }
  if (trailers_.size() == fields_max_) return &too_many_trailers;
  HeaderView field;
  if (const auto* refusal = parse_field_line(line.substr(0, line.size() - 2), field)) return refusal;
  if (is_forbidden_trailer(field.name)) return &forbidden_trailer;
  trailers_.add(field.name, field.value);
  trailer_line_.clear();
  return nullptr;
}

}  // namespace tapedeck
