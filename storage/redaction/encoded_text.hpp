#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// A text with one level of escapes undone, whatever their kind: percent coding, JSON's and JavaScript's backslashes,
// HTML's character references. A secret that was coded for some place, or mixed from several codings, stands there in
// clear. `places[i]` is where byte i came from; one more place at the end is the size of the coded text.
struct UnescapedText {
  std::string text;
  std::vector<std::uint32_t> places;
  std::vector<std::uint32_t> changed;  // where in `text` stands what was escaped, in order
};

// Leaves of the text only what stands within `reach` bytes of a changed one. Between the parts that are left lie NUL
// bytes, so that nothing is found across them.
void keep_neighbourhoods(UnescapedText& unescaped, std::size_t reach);

// Whether one of the characters stands there that begin an escape.
bool may_hold_escapes(std::string_view text);

// False when nothing was escaped. `text` is below 4 GiB.
bool unescape_all(std::string_view text, UnescapedText& result);

// The same for the escapes of a JSON string alone: `raw` is what stands between its quotes.
void unescape_json(std::string_view raw, UnescapedText& result);

}  // namespace tapedeck
