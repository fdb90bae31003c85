#pragma once

#include <string_view>

#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// Finds secrets in JSON: one text, several behind each other (newline-delimited too), or the beginning of one. What
// stands behind a break of the grammar is looked through by find_loose_json_secrets. False when there was a break.
bool find_json_secrets(std::string_view text, const RuleScope& scope, TextEdits& edits);

// Finds `"key": "value"` and `"key": ["value", …]` from `begin` on, in whatever text stands around.
void find_loose_json_secrets(std::string_view text, std::size_t begin, const RuleScope& scope, TextEdits& edits);

}  // namespace tapedeck
