#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// One lexical piece of a JSON text (RFC 8259) with its place in the input. Numbers keep their raw text: nothing is
// rounded. For strings the range includes the quotes. `key` is a string before a colon.
struct JsonToken {
  enum class Kind { object_begin, object_end, array_begin, array_end, key, string, number, true_, false_, null };
  Kind kind;
  std::uint64_t begin;  // byte offset of the first byte
  std::uint64_t end;    // one behind the last byte

  friend bool operator==(const JsonToken&, const JsonToken&) = default;
};

// A resumable tokenizer that checks the grammar as it goes: feed it pieces of any size; each token is handed out when
// it is whole. Depth is limited. A byte order mark is refused, and so are strings that are not UTF-8. Serves redaction
// (offsets) and canonical JSON (raw text).
class JsonTokenizer {
 public:
  static constexpr std::size_t depth_max = 256;

  enum class State { ongoing, complete, invalid };
  // Whether strings must be right in themselves. Redaction reads any bytes up to the closing quote: a Latin-1 letter or
  // a raw line end in one string must not hide a secret in the next.
  enum class Strings { strict, any_bytes };

  explicit JsonTokenizer(Strings strings = Strings::strict) : any_bytes_(strings == Strings::any_bytes) {}

  // Appends to `tokens` what `piece` completes. Offsets count from the first byte ever fed.
  State feed(std::string_view piece, std::vector<JsonToken>& tokens);
  // The input is over; a top-level number ends here. Invalid when the text is not whole.
  State finish(std::vector<JsonToken>& tokens);

  // Whether one whole value has been read; true as well when something behind it made the input invalid.
  bool whole() const { return expect_ == Expect::nothing && inside_ == Inside::gap; }
  // How many bytes were taken: the place of the byte that made the input invalid, or the end of what was fed.
  std::uint64_t offset() const { return offset_; }
  // The string or key that had begun where the input ended or became invalid; its `end` is where that was.
  std::optional<JsonToken> unfinished_string() const;

 private:
  enum class Expect : std::uint8_t { value, value_or_end, key, key_or_end, colon, comma_or_end, nothing };
  enum class Inside : std::uint8_t { gap, string, utf8, escape, hex, number, literal };
  enum class NumberPart : std::uint8_t { minus, zero, integer, point, fraction, exponent, exponent_sign, power };

  bool gap(char c, std::vector<JsonToken>& tokens);
  bool open(bool object, std::vector<JsonToken>& tokens);
  bool close(bool object, std::vector<JsonToken>& tokens);
  bool begin_string();
  bool begin_number(char c);
  bool begin_literal(JsonToken::Kind kind, const char* rest);
  bool string_byte(unsigned char c, std::vector<JsonToken>& tokens);
  bool utf8_byte(unsigned char c);
  bool escape_byte(char c);
  bool number_byte(char c, std::vector<JsonToken>& tokens);
  bool literal_byte(char c, std::vector<JsonToken>& tokens);
  bool wants_value() const { return expect_ == Expect::value || expect_ == Expect::value_or_end; }
  bool number_may_end() const;
  void end_value(std::uint64_t end, std::vector<JsonToken>& tokens);
  void close_value() { expect_ = depth_ == 0 ? Expect::nothing : Expect::comma_or_end; }

  std::bitset<depth_max> is_object_;  // of each open bracket, outermost first
  std::size_t depth_ = 0;
  std::uint64_t offset_ = 0;  // of the next byte
  std::uint64_t token_begin_ = 0;
  JsonToken::Kind token_kind_ = JsonToken::Kind::null;
  const char* literal_rest_ = nullptr;
  Expect expect_ = Expect::value;
  Inside inside_ = Inside::gap;
  NumberPart number_part_ = NumberPart::minus;
  std::uint8_t utf8_left_ = 0;  // continuation bytes still to come
  std::uint8_t utf8_low_ = 0;   // bounds of the next one (RFC 3629 §4: no overlong forms, no surrogates)
  std::uint8_t utf8_high_ = 0;
  std::uint8_t hex_left_ = 0;
  bool invalid_ = false;
  bool any_bytes_;
};

// All tokens of a whole text, or false when it is not JSON. `tokens` is emptied first.
bool tokenize_json(std::string_view text, std::vector<JsonToken>& tokens);

// The text of a JSON string token (with its quotes), with escapes undone, as UTF-8. Lone surrogates become U+FFFD.
std::string unescape_json_string(std::string_view quoted);

}  // namespace tapedeck
