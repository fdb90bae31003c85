#include "replay/matching/canonical_json.hpp"

#include <algorithm>
#include <cstdint>

#include "replay/matching/json_document.hpp"

namespace tapedeck {

namespace {

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

class CanonicalWriter {
 public:
  CanonicalWriter(const JsonDocument& document, std::span<const std::string> ignored_keys)
      : document_(document), ignored_keys_(ignored_keys) {}

  void append(std::string& out, std::size_t node) const {
    switch (document_.kind(node)) {
      case JsonToken::Kind::object_begin:
        append_object(out, node);
        break;
      case JsonToken::Kind::array_begin:
        append_array(out, node);
        break;
      case JsonToken::Kind::string:
        append_quoted(out, unescape_json_string(document_.text(node)));
        break;
      case JsonToken::Kind::number:
        out += canonical_json_number(document_.text(node));
        break;
      default:
        out += document_.text(node);
        break;
    }
  }

 private:
  void append_object(std::string& out, std::size_t node) const {
    out += '{';
    bool first = true;
    for (const auto& member : document_.members(node)) {
      if (std::find(ignored_keys_.begin(), ignored_keys_.end(), member.key) != ignored_keys_.end()) continue;
      if (!first) out += ',';
      first = false;
      append_quoted(out, member.key);
      out += ':';
      append(out, member.value);
    }
    out += '}';
  }

  void append_array(std::string& out, std::size_t node) const {
    out += '[';
    bool first = true;
    for (const auto element : document_.elements(node)) {
      if (!first) out += ',';
      first = false;
      append(out, element);
    }
    out += ']';
  }

  const JsonDocument& document_;
  std::span<const std::string> ignored_keys_;
};

// A number taken apart: digits × 10^exponent, with neither leading nor trailing zeros. No digits: zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

bool read_exponent(std::string_view text, std::int64_t& exponent) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() > 17) return false;
  std::int64_t value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  exponent = negative ? -value : value;
  return true;
}

// False when the exponent is out of reach.
bool take_apart(std::string_view raw, Decimal& decimal) {
  decimal.negative = raw.starts_with('-');
  if (decimal.negative) raw.remove_prefix(1);
  const auto exponent_at = std::min(raw.find_first_of("eE"), raw.size());
  const auto mantissa = raw.substr(0, exponent_at);
  const auto point = mantissa.find('.');
  decimal.digits = mantissa.substr(0, point);
  std::int64_t fraction_digits = 0;
  if (point != std::string_view::npos) {
    decimal.digits += mantissa.substr(point + 1);
    fraction_digits = static_cast<std::int64_t>(mantissa.size() - point - 1);
  }
  decimal.digits.erase(0, std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size()));
  if (decimal.digits.empty()) return true;
  if (exponent_at < raw.size() && !read_exponent(raw.substr(exponent_at + 1), decimal.exponent)) return false;
  const auto significant = decimal.digits.find_last_not_of('0') + 1;
  decimal.exponent += static_cast<std::int64_t>(decimal.digits.size() - significant) - fraction_digits;
  decimal.digits.resize(significant);
  return true;
}

}  // namespace

std::optional<std::string> canonical_json(std::string_view text, std::span<const std::string> ignored_keys) {
  const auto document = JsonDocument::parse(text);
  if (!document) return std::nullopt;
  std::string out;
  out.reserve(text.size());
  CanonicalWriter(*document, ignored_keys).append(out, JsonDocument::root);
  return out;
}

std::string canonical_json_number(std::string_view raw) {
  constexpr std::int64_t plain_digits_max = 40;
  Decimal decimal;
  if (!take_apart(raw, decimal)) return std::string(raw);
  const auto& digits = decimal.digits;
  if (digits.empty()) return "0";

  std::string out = decimal.negative ? "-" : "";
  const auto count = static_cast<std::int64_t>(digits.size());
  const auto point = count + decimal.exponent;  // how many digits stand before the decimal point
  if (decimal.exponent >= 0 && point <= plain_digits_max) {
    out += digits;
    out.append(static_cast<std::size_t>(decimal.exponent), '0');
  } else if (decimal.exponent < 0 && point > 0) {
    out += digits.substr(0, static_cast<std::size_t>(point));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(point));
  } else if (decimal.exponent < 0 && point > -6) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits[0];
    if (count > 1) out.append(1, '.').append(digits, 1);
    out += 'e';
    out += std::to_string(point - 1);
  }
  return out;
}

}  // namespace tapedeck
