#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace tapedeck {

namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  // 0: the bytes here are not UTF-8
};

// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < size) return {};
  std::uint32_t value = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) return {};
    value = value << 6 | (next & 0x3F);
  }
  static constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, size};
}

bool steers_a_terminal(std::uint32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0x061C || (value >= 0x200E && value <= 0x200F) ||
         (value >= 0x2028 && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069) || value == 0xFEFF;
}

void append_escape(std::string& out, const char* format, std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, format, value);
  out += text;
}

// Optimal string alignment: edits and swaps of neighbours. The words are option names, so the table stays small.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> cost(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= right.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = left[i - 1] == right[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + changed});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[left.size()][right.size()];
}

}  // namespace

std::string printable(std::string_view text, LineBreaks line_breaks) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.size == 0) {
      append_escape(out, "\\x%02x", static_cast<unsigned char>(text[at]));
      ++at;
      continue;
    }
    const bool kept = line_breaks == LineBreaks::keep && (point.value == '\n' || point.value == '\t');
    if (kept || !steers_a_terminal(point.value)) {
      out += text.substr(at, point.size);
    } else {
      append_escape(out, point.value < 0x80 ? "\\x%02x" : "\\u%04x", point.value);
    }
    at += point.size;
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t bytes_max = 80;
  if (text.size() <= bytes_max) return '"' + printable(text) + '"';
  std::size_t end = bytes_max;
  while (end > bytes_max - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return '"' + printable(text.substr(0, end)) + "…\"";
}

std::string url_in_quotes(std::string_view text) {
  const std::size_t query = text.find_first_of("?#");
  std::string out(text.substr(0, query));
  const std::size_t at = out.rfind('@');
  if (at != std::string::npos) {
    const std::size_t slashes = out.find("//");
    out.replace(slashes == std::string::npos || slashes > at ? 0 : slashes + 2, std::string::npos,
                "…" + out.substr(at));
  }
  if (query != std::string_view::npos) out += "?…";
  return in_quotes(out);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr std::size_t word_bytes_max = 64;
  if (word.empty() || word.size() > word_bytes_max) return std::nullopt;
  const std::string wanted = lower_case(word);
  std::optional<std::string_view> nearest;
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, lower_case(candidate));
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::vector<std::string> no_proxy_entries(std::string_view list) {
  std::vector<std::string> entries;
  while (!list.empty()) {
    const auto entry = list.substr(0, list.find_first_of(", \t\r\n"));
    if (!entry.empty()) entries.push_back(lower_case(entry));
    list.remove_prefix(std::min(entry.size() + 1, list.size()));
  }
  return entries;
}

std::string joined_list(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace tapedeck
