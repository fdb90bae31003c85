#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tapedeck {

// Text in columns of a terminal. Every code point counts as one column, which is right for what URLs and words hold.

// `text` in exactly `columns`, padded with spaces or cut with "…".
enum class Align { left, right };
std::string in_columns(std::string_view text, std::size_t columns, Align align = Align::left);

// A line that ends within `columns`; 0: no limit.
std::string cut_to(std::string_view line, std::size_t columns);

// How wide the terminal behind a descriptor is; 0 when it is none.
std::size_t terminal_columns(int descriptor);

}  // namespace tapedeck
