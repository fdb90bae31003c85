#pragma once

#include <string_view>

#include "storage/redaction/secret_patterns.hpp"
#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// How far a known secret in its longest coding may reach.
constexpr std::size_t echo_reach_bytes = 16 * 1024;

// Finds known secrets in whatever coding between `from` and `until`. What stands around is looked at too, as far as a
// secret may reach: one that began before `from` gives an edit that writes nothing, since its placeholder stands there.
// `percent_coded` is whether placeholders are to be coded for a URL or a form in any case.
void find_echoes(std::string_view text, std::size_t from, std::size_t until, const SecretPatterns& patterns,
                 const RuleTable& rules, bool percent_coded, TextEdits& edits);

// In a whole text.
void find_echoes(std::string_view text, const SecretPatterns& patterns, const RuleTable& rules, bool percent_coded,
                 TextEdits& edits);

}  // namespace tapedeck
