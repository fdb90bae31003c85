#include "replay/matching/url_normalisation.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The byte that an escape at `at` stands for, or -1 when there is none.
int escaped_byte(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void append_escape(std::string& out, unsigned char byte) {
  static constexpr char hex[] = "0123456789ABCDEF";
  out += '%';
  out += hex[byte >> 4];
  out += hex[byte & 15];
}

bool is_unreserved(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// RFC 3986 §3.3: what may stand in a path unescaped.
bool is_path_character(unsigned char c) {
  return is_unreserved(c) ||
         (c != 0 && std::string_view("/:@!$&'()*+,;=").find(static_cast<char>(c)) != std::string_view::npos);
}

// In pairs everything that is readable and separates nothing stays as it is, for the sake of whoever reads a report.
bool is_pair_character(unsigned char c) {
  return c > 0x20 && c < 0x7f && std::string_view("%&=+#").find(static_cast<char>(c)) == std::string_view::npos;
}

std::string normalised_escapes(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (const int byte = escaped_byte(path, i); byte >= 0) {
      i += 2;
      if (is_unreserved(static_cast<unsigned char>(byte))) {
        out += static_cast<char>(byte);
      } else {
        append_escape(out, static_cast<unsigned char>(byte));
      }
    } else if (is_path_character(static_cast<unsigned char>(path[i]))) {
      out += path[i];
    } else {
      append_escape(out, static_cast<unsigned char>(path[i]));
    }
  }
  return out;
}

// RFC 3986 §5.2.4 for a path that starts with a slash. An empty segment is a segment like any other.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  std::size_t at = 1;
  while (true) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    const bool last = end == path.size();
    if (segment == "." || segment == "..") {
      if (segment == ".." && !kept.empty()) kept.pop_back();
      if (last) kept.push_back({});
    } else {
      kept.push_back(segment);
    }
    if (last) break;
    at = end + 1;
  }
  std::string out;
  out.reserve(path.size());
  for (const auto segment : kept) out.append(1, '/').append(segment);
  return out;
}

std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const int byte = escaped_byte(text, i); byte >= 0) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void append_coded(std::string& out, std::string_view text) {
  for (const char c : decoded(text)) {
    if (is_pair_character(static_cast<unsigned char>(c))) {
      out += c;
    } else {
      append_escape(out, static_cast<unsigned char>(c));
    }
  }
}

}  // namespace

SplitTarget split_target(std::string_view target) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return {target, {}};
  return {target.substr(0, question), target.substr(question + 1)};
}

std::string normalised_path(std::string_view path) {
  if (path.empty()) return "/";
  const auto escaped = normalised_escapes(path);
  return escaped.starts_with('/') ? without_dot_segments(escaped) : escaped;
}

std::vector<std::string> normalised_pairs(std::string_view text) {
  std::vector<std::string> pairs;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    auto& pair = pairs.emplace_back();
    append_coded(pair, piece.substr(0, equals));
    if (equals != std::string_view::npos) {
      pair += '=';
      append_coded(pair, piece.substr(equals + 1));
    }
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

DecodedPair decoded_pair(std::string_view coded) {
  const auto equals = coded.find('=');
  if (equals == std::string_view::npos) return {decoded(coded), false, {}};
  return {decoded(coded.substr(0, equals)), true, decoded(coded.substr(equals + 1))};
}

}  // namespace tapedeck
