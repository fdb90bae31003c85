#include "storage/cassette/header_list.hpp"

#include <algorithm>
#include <cstdint>

namespace tapedeck {

namespace {

constexpr std::size_t fields_max = 4096;
constexpr std::size_t interim_responses_max = 256;

// Seven bits a byte, least significant first, the high bit set on all but the last (as LEB128).
void append_number(std::string& out, std::size_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(number | 0x80);
    number >>= 7;
  }
  out += static_cast<char>(number);
}

std::size_t bytes_of_number(std::size_t number) {
  std::size_t bytes = 1;
  for (; number >= 0x80; number >>= 7) ++bytes;
  return bytes;
}

std::size_t bytes_of_text(std::string_view text) {
  return bytes_of_number(text.size()) + text.size();
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

// Takes things off the front of bytes that may hold anything. Once something was wrong all that follows is empty.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}

  std::size_t number() {
    std::size_t value = 0;
    for (unsigned shift = 0; shift < 28 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::size_t>(byte & 0x7f) << shift;
      // A number has one form only, so that equal lists are equal bytes.
      if (byte < 0x80) return byte == 0 && shift > 0 ? fail() : value;
    }
    return fail();
  }

  std::string_view text() {
    const std::size_t size = number();
    if (!ok_ || size > rest_.size()) {
      fail();
      return {};
    }
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  bool more() const { return ok_ && !rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::size_t fail() {
    ok_ = false;
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

bool fits_as_name(std::string_view name) {
  return !name.empty() && fits_in_word(name) && name.find(':') == std::string_view::npos;
}

// At most; what is wrong ends the count.
std::size_t fields_in(std::string_view bytes) {
  std::size_t fields = 0;
  Taker taker(bytes);
  for (; taker.more() && fields < fields_max; ++fields) {
    taker.text();
    taker.text();
  }
  return fields;
}

std::size_t bytes_of_headers(const Headers& headers) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    bytes += bytes_of_text(headers[i].name) + bytes_of_text(headers[i].value);
  }
  return bytes;
}

}  // namespace

bool fits_on_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool fits_in_word(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; });
}

bool headers_fit(const Headers& headers, std::size_t bytes_max) {
  if (headers.size() > fields_max || bytes_of_headers(headers) > bytes_max) return false;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!fits_as_name(headers[i].name) || !fits_on_line(headers[i].value)) return false;
  }
  return true;
}

std::string encode_headers(const Headers& headers) {
  std::string out;
  out.reserve(bytes_of_headers(headers));
  for (std::size_t i = 0; i < headers.size(); ++i) {
    append_text(out, headers[i].name);
    append_text(out, headers[i].value);
  }
  return out;
}

std::optional<Headers> decode_headers(std::string_view bytes) {
  Headers headers;
  headers.reserve(fields_in(bytes), bytes.size());
  Taker taker(bytes);
  while (taker.more()) {
    const auto name = taker.text();
    const auto value = taker.text();
    if (!taker.ok() || !fits_as_name(name) || !fits_on_line(value) || headers.size() == fields_max) return std::nullopt;
    headers.add(name, value);
  }
  if (!taker.ok()) return std::nullopt;
  return headers;
}

std::string encode_interim_responses(const std::vector<InterimResponse>& responses) {
  std::string out;
  for (const auto& response : responses) {
    append_number(out, static_cast<std::size_t>(response.status));
    append_text(out, response.reason);
    append_text(out, encode_headers(response.headers));
  }
  return out;
}

std::optional<std::vector<InterimResponse>> decode_interim_responses(std::string_view bytes) {
  std::vector<InterimResponse> responses;
  Taker taker(bytes);
  while (taker.more()) {
    const auto status = taker.number();
    const auto reason = taker.text();
    auto headers = decode_headers(taker.text());
    const bool fits = taker.ok() && status >= 100 && status <= 199 && fits_on_line(reason) && headers.has_value();
    if (!fits || responses.size() == interim_responses_max) return std::nullopt;
    responses.push_back({static_cast<int>(status), std::string(reason), std::move(*headers)});
  }
  if (!taker.ok()) return std::nullopt;
  return responses;
}

}  // namespace tapedeck
