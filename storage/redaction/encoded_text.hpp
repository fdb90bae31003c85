#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// A text with one level of escapes undone, whatever their kind: percent coding, JSON's and JavaScript's backslashes,
// HTML's character references. A secret that was coded for some place, or mixed from several codings, stands there in
// clear.
struct UnescapedText {
  // From byte `at` of `text` on, each byte stands in the coded text behind the one before it, the first at `place`; or
  // all of them come from the escape at `place`, or fill the gap there.
  struct Run {
    enum class Kind : std::uint8_t { plain, escape, gap };
    std::uint32_t at = 0;
    std::uint32_t place = 0;
    Kind kind = Kind::plain;
  };

  std::string text;
  std::vector<Run> runs;  // in order; of those that begin at the same byte the last holds

  // Where byte `at` came from. The text's end came from the coded text's end.
  std::size_t place_of(std::size_t at) const;
  bool touches_gap(std::size_t begin, std::size_t end) const;
};

// Leaves of the text only what stands within `reach` bytes of an escape. Between the parts that are left lie NUL bytes,
// so that nothing is found across them.
void keep_neighbourhoods(UnescapedText& unescaped, std::size_t reach);

// Whether one of the characters stands there that begin an escape.
bool may_hold_escapes(std::string_view text);

// False when nothing was escaped. `text` is below 4 GiB.
bool unescape_all(std::string_view text, UnescapedText& result);

// The same for the escapes of a JSON string alone: `raw` is what stands between its quotes.
void unescape_json(std::string_view raw, UnescapedText& result);

}  // namespace tapedeck
