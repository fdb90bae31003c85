#include "storage/redaction/json_tokens.hpp"

#include <algorithm>
#include <array>

namespace tapedeck {

namespace {

using Kind = JsonToken::Kind;

// Few documents have less; the list grows from there.
constexpr std::size_t tokens_usual = 32;

// Bytes that may stand in a string by themselves: most of any JSON text, so they are skipped in a loop of their own.
constexpr std::array<bool, 256> plain_in_string = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

JsonTokenizer::State JsonTokenizer::feed(std::string_view piece, std::vector<JsonToken>& tokens) {
  const auto base = offset_;
  for (std::size_t at = 0; at < piece.size() && !invalid_;) {
    if (inside_ == Inside::string) {
      while (at < piece.size() && plain_in_string[static_cast<unsigned char>(piece[at])]) ++at;
      if (at == piece.size()) break;
    }
    offset_ = base + at;
    const char c = piece[at];
    bool good = false;
    switch (inside_) {
      case Inside::gap:
        good = gap(c, tokens);
        break;
      case Inside::string:
        good = string_byte(static_cast<unsigned char>(c), tokens);
        break;
      case Inside::utf8:
        good = utf8_byte(static_cast<unsigned char>(c));
        break;
      case Inside::escape:
        good = escape_byte(c);
        break;
      case Inside::hex:
        good = hex_digit(c) >= 0;
        if (--hex_left_ == 0) inside_ = Inside::string;
        break;
      case Inside::number:
        good = number_byte(c, tokens);
        break;
      case Inside::literal:
        good = literal_byte(c, tokens);
        break;
    }
    invalid_ = !good;
    if (good) ++at;
  }
  if (!invalid_) offset_ = base + piece.size();
  if (invalid_) return State::invalid;
  return whole() ? State::complete : State::ongoing;
}

JsonTokenizer::State JsonTokenizer::finish(std::vector<JsonToken>& tokens) {
  if (!invalid_ && inside_ == Inside::number && depth_ == 0 && number_may_end()) end_value(offset_, tokens);
  if (invalid_ || !whole()) {
    invalid_ = true;
    return State::invalid;
  }
  return State::complete;
}

std::optional<JsonToken> JsonTokenizer::unfinished_string() const {
  const bool open =
      inside_ == Inside::string || inside_ == Inside::utf8 || inside_ == Inside::escape || inside_ == Inside::hex;
  if (!open) return std::nullopt;
  return JsonToken{token_kind_, token_begin_, offset_};
}

bool JsonTokenizer::gap(char c, std::vector<JsonToken>& tokens) {
  if (is_space(c)) return true;
  switch (c) {
    case '"':
      return begin_string();
    case '{':
      return open(true, tokens);
    case '[':
      return open(false, tokens);
    case '}':
      return close(true, tokens);
    case ']':
      return close(false, tokens);
    case ':':
      if (expect_ != Expect::colon) return false;
      expect_ = Expect::value;
      return true;
    case ',':
      if (expect_ != Expect::comma_or_end) return false;
      expect_ = is_object_[depth_ - 1] ? Expect::key : Expect::value;
      return true;
    case 't':
      return begin_literal(Kind::true_, "rue");
    case 'f':
      return begin_literal(Kind::false_, "alse");
    case 'n':
      return begin_literal(Kind::null, "ull");
    default:
      return begin_number(c);
  }
}

bool JsonTokenizer::open(bool object, std::vector<JsonToken>& tokens) {
  if (!wants_value() || depth_ == depth_max) return false;
  is_object_[depth_++] = object;
  expect_ = object ? Expect::key_or_end : Expect::value_or_end;
  tokens.reserve(tokens_usual);
  tokens.push_back({object ? Kind::object_begin : Kind::array_begin, offset_, offset_ + 1});
  return true;
}

bool JsonTokenizer::close(bool object, std::vector<JsonToken>& tokens) {
  const bool empty = expect_ == (object ? Expect::key_or_end : Expect::value_or_end);
  const bool after_value = expect_ == Expect::comma_or_end && is_object_[depth_ - 1] == object;
  if (!empty && !after_value) return false;
  --depth_;
  close_value();
  tokens.push_back({object ? Kind::object_end : Kind::array_end, offset_, offset_ + 1});
  return true;
}

bool JsonTokenizer::begin_string() {
  const bool is_key = expect_ == Expect::key || expect_ == Expect::key_or_end;
  if (!is_key && !wants_value()) return false;
  token_kind_ = is_key ? Kind::key : Kind::string;
  token_begin_ = offset_;
  inside_ = Inside::string;
  return true;
}

bool JsonTokenizer::begin_number(char c) {
  if (!wants_value() || (c != '-' && !is_digit(c))) return false;
  number_part_ = c == '-' ? NumberPart::minus : c == '0' ? NumberPart::zero : NumberPart::integer;
  token_kind_ = Kind::number;
  token_begin_ = offset_;
  inside_ = Inside::number;
  return true;
}

bool JsonTokenizer::begin_literal(Kind kind, const char* rest) {
  if (!wants_value()) return false;
  token_kind_ = kind;
  token_begin_ = offset_;
  literal_rest_ = rest;
  inside_ = Inside::literal;
  return true;
}

bool JsonTokenizer::string_byte(unsigned char c, std::vector<JsonToken>& tokens) {
  if (c == '"') {
    if (token_kind_ == Kind::string) {
      end_value(offset_ + 1, tokens);
    } else {
      tokens.push_back({Kind::key, token_begin_, offset_ + 1});
      inside_ = Inside::gap;
      expect_ = Expect::colon;
    }
    return true;
  }
  if (c == '\\') {
    inside_ = Inside::escape;
    return true;
  }
  if (any_bytes_) return true;
  if (c < 0xC2 || c > 0xF4) return false;  // control characters, continuation bytes and bytes UTF-8 never uses
  utf8_left_ = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
  utf8_low_ = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
  utf8_high_ = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
  inside_ = Inside::utf8;
  return true;
}

bool JsonTokenizer::utf8_byte(unsigned char c) {
  if (c < utf8_low_ || c > utf8_high_) return false;
  utf8_low_ = 0x80;
  utf8_high_ = 0xBF;
  if (--utf8_left_ == 0) inside_ = Inside::string;
  return true;
}

bool JsonTokenizer::escape_byte(char c) {
  if (c == 'u' && !any_bytes_) {
    hex_left_ = 4;
    inside_ = Inside::hex;
    return true;
  }
  inside_ = Inside::string;
  return any_bytes_ || std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
}

bool JsonTokenizer::number_may_end() const {
  return number_part_ == NumberPart::zero || number_part_ == NumberPart::integer ||
         number_part_ == NumberPart::fraction || number_part_ == NumberPart::power;
}

bool JsonTokenizer::number_byte(char c, std::vector<JsonToken>& tokens) {
  using Part = NumberPart;
  const bool digit = is_digit(c);
  const bool exponent = c == 'e' || c == 'E';
  const auto go_on = [&](Part part) {
    number_part_ = part;
    return true;
  };
  switch (number_part_) {
    case Part::minus:
      number_part_ = c == '0' ? Part::zero : Part::integer;
      return digit;
    case Part::zero:
    case Part::integer:
      if (digit) return number_part_ == Part::integer;
      if (c == '.') return go_on(Part::point);
      if (exponent) return go_on(Part::exponent);
      break;
    case Part::point:
      number_part_ = Part::fraction;
      return digit;
    case Part::fraction:
      if (digit) return true;
      if (exponent) return go_on(Part::exponent);
      break;
    case Part::exponent:
      number_part_ = digit ? Part::power : Part::exponent_sign;
      return digit || c == '+' || c == '-';
    case Part::exponent_sign:
      number_part_ = Part::power;
      return digit;
    case Part::power:
      if (digit) return true;
      break;
  }
  // The number ends before this byte, which is the first of the gap behind it.
  end_value(offset_, tokens);
  return gap(c, tokens);
}

bool JsonTokenizer::literal_byte(char c, std::vector<JsonToken>& tokens) {
  if (c != *literal_rest_) return false;
  if (*++literal_rest_ == '\0') end_value(offset_ + 1, tokens);
  return true;
}

void JsonTokenizer::end_value(std::uint64_t end, std::vector<JsonToken>& tokens) {
  tokens.push_back({token_kind_, token_begin_, end});
  inside_ = Inside::gap;
  close_value();
}

bool tokenize_json(std::string_view text, std::vector<JsonToken>& tokens) {
  tokens.clear();
  JsonTokenizer tokenizer;
  return tokenizer.feed(text, tokens) != JsonTokenizer::State::invalid &&
         tokenizer.finish(tokens) == JsonTokenizer::State::complete;
}

namespace {

void append_utf8(std::string& text, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
  } else {
    if (code_point < 0x10000) {
      put(0xE0 | (code_point >> 12));
    } else {
      put(0xF0 | (code_point >> 18));
      put(0x80 | ((code_point >> 12) & 0x3F));
    }
    put(0x80 | ((code_point >> 6) & 0x3F));
  }
  put(0x80 | (code_point & 0x3F));
}

// The value of "\uXXXX" at `at`, or nothing when something else stands there.
std::optional<std::uint32_t> code_unit_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() - at < 6) return std::nullopt;
  std::uint32_t unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return std::nullopt;
    unit = unit * 16 + static_cast<std::uint32_t>(digit);
  }
  return unit;
}

// Appends what the escape at `at` means; gives the number of bytes it took.
std::size_t append_escape(std::string& plain, std::string_view text, std::size_t at) {
  constexpr std::uint32_t replacement = 0xFFFD;
  if (const auto unit = code_unit_at(text, at)) {
    const auto low = code_unit_at(text, at + 6 <= text.size() ? at + 6 : text.size());
    if (*unit >= 0xD800 && *unit < 0xDC00 && low && *low >= 0xDC00 && *low < 0xE000) {
      append_utf8(plain, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
      return 12;
    }
    append_utf8(plain, *unit >= 0xD800 && *unit < 0xE000 ? replacement : *unit);
    return 6;
  }
  if (at + 1 == text.size()) return 1;
  switch (text[at + 1]) {
    case 'b':
      plain.push_back('\b');
      break;
    case 'f':
      plain.push_back('\f');
      break;
    case 'n':
      plain.push_back('\n');
      break;
    case 'r':
      plain.push_back('\r');
      break;
    case 't':
      plain.push_back('\t');
      break;
    default:
      plain.push_back(text[at + 1]);
      break;
  }
  return 2;
}

}  // namespace

std::string unescape_json_string(std::string_view quoted) {
  if (quoted.starts_with('"')) quoted.remove_prefix(1);
  if (quoted.ends_with('"')) quoted.remove_suffix(1);
  std::string plain;
  plain.reserve(quoted.size());
  for (std::size_t at = 0; at < quoted.size();) {
    const auto escape = std::min(quoted.find('\\', at), quoted.size());
    plain.append(quoted.substr(at, escape - at));
    at = escape;
    if (at < quoted.size()) at += append_escape(plain, quoted, at);
  }
  return plain;
}

}  // namespace tapedeck
