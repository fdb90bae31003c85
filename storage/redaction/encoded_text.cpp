#include "storage/redaction/encoded_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "storage/redaction/byte_search.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

using Kind = UnescapedText::Run::Kind;

namespace {

// What an escape means, and how many bytes it takes.
struct Escape {
  std::uint32_t code_point = 0;
  std::size_t size = 0;
  bool is_byte = false;  // not a character but one byte of its UTF-8 form
};

std::optional<std::uint32_t> number(std::string_view digits, std::uint32_t base) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const int digit = hex_digit_value(c);
    if (digit < 0 || static_cast<std::uint32_t>(digit) >= base || value > 0x10FFFF) return std::nullopt;
    value = value * base + static_cast<std::uint32_t>(digit);
  }
  if (digits.empty() || value > 0x10FFFF) return std::nullopt;
  return value;
}

std::optional<Escape> percent_escape(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  const auto byte = number(text.substr(1, 2), 16);
  if (!byte) return std::nullopt;
  return Escape{*byte, 3, true};
}

std::optional<std::uint32_t> code_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  return number(text.substr(2, 4), 16);
}

std::optional<Escape> backslash_escape(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  if (const auto unit = code_unit(text)) {
    const auto low = code_unit(text.substr(6));
    if (*unit >= 0xD800 && *unit < 0xDC00 && low && *low >= 0xDC00 && *low < 0xE000) {
      return Escape{0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), 12, false};
    }
    return Escape{*unit, 6, false};
  }
  constexpr std::string_view letters = "bfnrt";
  constexpr std::string_view meanings = "\b\f\n\r\t";
  const auto letter = letters.find(text[1]);
  const auto c = letter == std::string_view::npos ? text[1] : meanings[letter];
  return Escape{static_cast<unsigned char>(c), 2, true};
}

std::optional<Escape> character_reference(std::string_view text) {
  constexpr std::size_t size_max = 12;
  const auto end = text.substr(0, size_max).find(';');
  if (end == std::string_view::npos || end < 2) return std::nullopt;
  const auto name = text.substr(1, end - 1);
  struct Named {
    std::string_view name;
    char meaning;
  };
  constexpr Named named[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& each : named) {
    if (each.name == name) return Escape{static_cast<unsigned char>(each.meaning), end + 1, true};
  }
  if (name[0] != '#') return std::nullopt;
  const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
  const auto code = hex ? number(name.substr(2), 16) : number(name.substr(1), 10);
  if (!code) return std::nullopt;
  return Escape{*code, end + 1, false};
}

std::optional<Escape> escape_at(std::string_view text) {
  switch (text.front()) {
    case '%':
      return percent_escape(text);
    case '\\':
      return backslash_escape(text);
    case '&':
      return character_reference(text);
    default:
      return std::nullopt;
  }
}

class Unescaper {
 public:
  Unescaper(std::string_view text, UnescapedText& result) : text_(text), result_(result) {
    result_.text.clear();
    result_.text.reserve(text.size());
    result_.runs.assign(1, {});
  }

  // An escape begins with one of these bytes.
  template <char... begins, typename EscapeAt>
  bool run(EscapeAt escape) {
    bool any = false;
    for (std::size_t at = 0; at < text_.size();) {
      const auto plain_end = find_byte<begins...>(text_, at);
      copy(at, plain_end);
      at = plain_end;
      if (at == text_.size()) break;
      const auto found = escape(text_.substr(at));
      if (found) {
        any = true;
        put(*found, at);
        at += found->size;
      } else {
        copy(at, at + 1);
        ++at;
      }
    }
    return any;
  }

 private:
  void copy(std::size_t begin, std::size_t end) { result_.text.append(text_.substr(begin, end - begin)); }

  void put(const Escape& escape, std::size_t at) {
    begin_run(at, Kind::escape);
    append(escape);
    begin_run(at + escape.size, Kind::plain);
  }

  // An escape behind an escape takes the place of the empty run between them.
  void begin_run(std::size_t place, Kind kind) {
    const UnescapedText::Run run{static_cast<std::uint32_t>(result_.text.size()), static_cast<std::uint32_t>(place),
                                 kind};
    auto& last = result_.runs.back();
    if (last.at == run.at)
      last = run;
    else
      result_.runs.push_back(run);
  }

  void append(const Escape& escape) {
    const auto code = escape.code_point;
    const auto byte = [&](std::uint32_t value) { result_.text.push_back(static_cast<char>(value)); };
    if (escape.is_byte || code < 0x80) return byte(code);
    if (code < 0x800) {
      byte(0xC0 | (code >> 6));
    } else {
      if (code < 0x10000) {
        byte(0xE0 | (code >> 12));
      } else {
        byte(0xF0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3F));
      }
      byte(0x80 | ((code >> 6) & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
  }

  std::string_view text_;
  UnescapedText& result_;
};

}  // namespace

bool may_hold_escapes(std::string_view text) {
  return find_byte<'%', '\\', '&'>(text, 0) < text.size();
}

bool unescape_all(std::string_view text, UnescapedText& result) {
  return Unescaper(text, result).run<'%', '\\', '&'>(escape_at);
}

namespace {

// The run behind the one that byte `at` is in.
auto run_behind(const std::vector<UnescapedText::Run>& runs, std::size_t at) {
  return std::upper_bound(runs.begin(), runs.end(), at,
                          [](std::size_t byte, const UnescapedText::Run& run) { return byte < run.at; });
}

}  // namespace

std::size_t UnescapedText::place_of(std::size_t at) const {
  const auto& run = *std::prev(run_behind(runs, at));
  return run.kind == Kind::plain ? run.place + (at - run.at) : run.place;
}

bool UnescapedText::touches_gap(std::size_t begin, std::size_t end) const {
  for (auto run = std::prev(run_behind(runs, begin)); run != runs.end() && run->at < end; ++run) {
    if (run->kind == Kind::gap) return true;
  }
  return false;
}

namespace {

// Appends bytes `begin` to `end`, and a gap that stands where the text goes on.
void keep_part(const UnescapedText& whole, std::size_t begin, std::size_t end, UnescapedText& kept) {
  constexpr std::size_t gap_bytes = 16;
  const auto begin_run = [&kept](std::size_t at, std::size_t place, Kind kind) {
    kept.runs.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(place), kind});
  };
  const auto moved_to = kept.text.size();
  auto run = run_behind(whole.runs, begin);
  begin_run(moved_to, whole.place_of(begin), std::prev(run)->kind);
  for (; run != whole.runs.end() && run->at < end; ++run) begin_run(moved_to + run->at - begin, run->place, run->kind);
  kept.text.append(whole.text, begin, end - begin);
  begin_run(kept.text.size(), whole.place_of(end), Kind::gap);
  kept.text.append(gap_bytes, '\0');
}

}  // namespace

void keep_neighbourhoods(UnescapedText& unescaped, std::size_t reach) {
  UnescapedText kept;
  const auto& runs = unescaped.runs;
  std::size_t begin = 0;
  std::size_t end = 0;  // of the part that is not kept yet
  for (const auto& run : runs) {
    if (run.kind != Kind::escape) continue;
    const auto from = run.at - std::min<std::size_t>(run.at, reach);
    if (end > 0 && from > end) {
      keep_part(unescaped, begin, end, kept);
      end = 0;
    }
    if (end == 0) begin = from;
    end = std::min(run.at + 1 + reach, unescaped.text.size());
  }
  if (end > 0) keep_part(unescaped, begin, end, kept);
  unescaped = std::move(kept);
}

void unescape_json(std::string_view raw, UnescapedText& result) {
  Unescaper(raw, result).run<'\\'>(backslash_escape);
}

}  // namespace tapedeck
