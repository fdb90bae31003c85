#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// Text of unknown origin made safe to show: control characters (C0, DEL, C1), bytes that are not UTF-8, line and
// paragraph separators and bidirectional overrides become escapes like \x1b and \u202e, so that no terminal obeys them.
enum class LineBreaks { escape, keep };  // keep: \n and \t pass
std::string printable(std::string_view text, LineBreaks line_breaks = LineBreaks::escape);

// The same in double quotes, cut after 80 bytes: how a refusal names what it was given.
std::string in_quotes(std::string_view text);

// A URL the same way, without user info, query and fragment, which can hold secrets.
std::string url_in_quotes(std::string_view text);

std::string lower_case(std::string_view text);  // ASCII only

// The candidate that a misspelt `word` most likely meant; nullopt when none is near.
std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> candidates);

// The entries of a list as no_proxy has them: between commas or blanks, in lower case.
std::vector<std::string> no_proxy_entries(std::string_view list);

// "a, b and c"
std::string joined_list(std::span<const std::string_view> words);

}  // namespace tapedeck
