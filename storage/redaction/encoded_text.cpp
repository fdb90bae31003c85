#include "storage/redaction/encoded_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "storage/redaction/byte_search.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

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

// Blocks of a known size are compiled to vector instructions.
void count_up(std::uint32_t* into, std::size_t count, std::uint32_t value) {
  for (; count >= byte_block; count -= byte_block, into += byte_block, value += byte_block) {
    std::array<std::uint32_t, byte_block> block;
    for (std::uint32_t i = 0; i < byte_block; ++i) block[i] = value + i;
    std::memcpy(into, block.data(), sizeof block);
  }
  while (count-- > 0) *into++ = value++;
}

class Unescaper {
 public:
  Unescaper(std::string_view text, UnescapedText& result) : text_(text), result_(result) {
    result_.text.clear();
    result_.places.clear();
    result_.changed.clear();
    result_.text.reserve(text.size());
    result_.places.reserve(text.size() + 1);
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
    result_.places.push_back(static_cast<std::uint32_t>(text_.size()));
    return any;
  }

 private:
  void copy(std::size_t begin, std::size_t end) {
    result_.text.append(text_.substr(begin, end - begin));
    const auto known = result_.places.size();
    result_.places.resize(known + end - begin);
    count_up(result_.places.data() + known, end - begin, static_cast<std::uint32_t>(begin));
  }

  void put(const Escape& escape, std::size_t at) {
    const auto code = escape.code_point;
    result_.changed.push_back(static_cast<std::uint32_t>(result_.text.size()));
    const auto byte = [&](std::uint32_t value) {
      result_.text.push_back(static_cast<char>(value));
      result_.places.push_back(static_cast<std::uint32_t>(at));
    };
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

void keep_neighbourhoods(UnescapedText& unescaped, std::size_t reach) {
  constexpr std::size_t gap_bytes = 16;
  UnescapedText kept;
  const auto& [text, places, changed] = unescaped;
  for (std::size_t i = 0; i < changed.size();) {
    const auto begin = changed[i] - std::min<std::size_t>(changed[i], reach);
    auto end = std::size_t{changed[i]} + 1 + reach;
    const auto first = i;
    for (++i; i < changed.size() && changed[i] <= end + reach; ++i) end = std::size_t{changed[i]} + 1 + reach;
    end = std::min(end, text.size());
    for (auto k = first; k < i; ++k) {
      kept.changed.push_back(static_cast<std::uint32_t>(kept.text.size() + changed[k] - begin));
    }
    kept.text.append(text, begin, end - begin);
    kept.places.insert(kept.places.end(), places.begin() + static_cast<std::ptrdiff_t>(begin),
                       places.begin() + static_cast<std::ptrdiff_t>(end));
    // What ends here ends where the text goes on.
    kept.text.append(gap_bytes, '\0');
    kept.places.insert(kept.places.end(), gap_bytes, places[end]);
  }
  kept.places.push_back(places.back());
  unescaped = std::move(kept);
}

void unescape_json(std::string_view raw, UnescapedText& result) {
  Unescaper(raw, result).run<'\\'>(backslash_escape);
}

}  // namespace tapedeck
