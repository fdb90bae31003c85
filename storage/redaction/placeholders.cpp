#include "storage/redaction/placeholders.hpp"

#include <algorithm>
#include <cstdint>

namespace tapedeck {

namespace {

constexpr std::string_view tagged_begin = "{{tapedeck:";
constexpr std::string_view tagged_end = "}}";
constexpr std::string_view uuid_begin = "7a9ede00-0000-4000-8000-";
constexpr std::size_t uuid_tail_digits = 12;
constexpr std::size_t class_size_max = 64;
constexpr char hex_digits[] = "0123456789abcdef";

// Clients that look into a token want to find it valid: this one expires in the year 2100.
constexpr std::string_view jwt_header = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view jwt_payload_begin = R"({"exp":4102444800,"tapedeck":")";
constexpr std::string_view jwt_payload_end = R"("})";
constexpr std::string_view jwt_signature = "tapedeck placeholder, not signed";

std::string base64_with(std::string_view bytes, const char* digits) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text.push_back(digits[(bits >> (count - 6)) & 63]);
  }
  if (count > 0) text.push_back(digits[(bits << (6 - count)) & 63]);
  return text;
}

int base64_digit_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// FNV-1a: the same in every build, so that a class has the same UUID in every cassette.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string jwt(std::string_view placeholder_class) {
  const auto payload = std::string(jwt_payload_begin) + std::string(placeholder_class) + std::string(jwt_payload_end);
  return base64url(jwt_header) + '.' + base64url(payload) + '.' + base64url(jwt_signature);
}

// The bytes before CLASS are a multiple of three, so the text before and behind it is the same for every class: it is
// enough to compare the ends.
static_assert(jwt_payload_begin.size() % 3 == 0);

bool is_jwt_placeholder(std::string_view value) {
  static const auto begin = base64url(jwt_header) + '.' + base64url(jwt_payload_begin);
  static const auto end = '.' + base64url(jwt_signature);
  if (value.size() <= begin.size() + end.size() || !value.starts_with(begin) || !value.ends_with(end)) return false;
  const auto middle = value.substr(begin.size(), value.size() - begin.size() - end.size());
  return middle.size() < 2 * class_size_max && middle.find('.') == std::string_view::npos;
}

bool is_uuid_placeholder(std::string_view value) {
  if (value.size() != uuid_begin.size() + uuid_tail_digits) return false;
  const auto same = [](char a, char b) { return a == b || (b >= 'A' && b <= 'F' && a == b - 'A' + 'a'); };
  return std::equal(uuid_begin.begin(), uuid_begin.end(), value.begin(), same) &&
         std::all_of(value.begin() + uuid_begin.size(), value.end(), [](char c) { return hex_digit_value(c) >= 0; });
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string placeholder(PlaceholderShape shape, std::string_view placeholder_class) {
  switch (shape) {
    case PlaceholderShape::uuid: {
      std::string uuid(uuid_begin);
      const auto hash = stable_hash(placeholder_class);
      for (std::size_t digit = uuid_tail_digits; digit-- > 0;) uuid.push_back(hex_digits[(hash >> (4 * digit)) & 15]);
      return uuid;
    }
    case PlaceholderShape::jwt:
      return jwt(placeholder_class);
    case PlaceholderShape::tagged:
      break;
  }
  return std::string(tagged_begin) + std::string(placeholder_class) + std::string(tagged_end);
}

bool is_placeholder_class(std::string_view text) {
  return !text.empty() && text.size() <= class_size_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_placeholder(PlaceholderShape shape, std::string_view value) {
  switch (shape) {
    case PlaceholderShape::uuid:
      return is_uuid_placeholder(value);
    case PlaceholderShape::jwt:
      return is_jwt_placeholder(value);
    case PlaceholderShape::tagged:
      break;
  }
  if (!value.starts_with(tagged_begin) || !value.ends_with(tagged_end)) return false;
  value.remove_prefix(tagged_begin.size());
  return value.size() > tagged_end.size() && is_placeholder_class(value.substr(0, value.size() - tagged_end.size()));
}

bool looks_like_jwt(std::string_view value) {
  if (!value.starts_with("eyJ")) return false;  // {" in base64
  const auto first = value.find('.');
  const auto second = first == std::string_view::npos ? first : value.find('.', first + 1);
  if (second == std::string_view::npos || second == first + 1) return false;
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '=';
  });
}

std::string percent_encode(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string coded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      coded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      coded.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return coded;
}

std::string percent_decode(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit_value(text[i + 1]) >= 0 &&
        hex_digit_value(text[i + 2]) >= 0) {
      plain.push_back(static_cast<char>(hex_digit_value(text[i + 1]) * 16 + hex_digit_value(text[i + 2])));
      i += 2;
    } else {
      plain.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return plain;
}

int hex_digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string base64(std::string_view bytes) {
  return base64_with(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

std::string base64url(std::string_view bytes) {
  return base64_with(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

std::string base64_decode(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = base64_digit_value(c);
    if (digit < 0) break;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>((bits >> count) & 0xFF));
  }
  return bytes;
}

}  // namespace tapedeck
