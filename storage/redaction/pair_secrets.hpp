#pragma once

#include <string_view>

#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// Finds secrets in `key=value` pairs: forms, and the query and fragment of URLs. All offsets are those of `text`.

struct PairScan {
  RuleScope scope;
  SecretPlace place = SecretPlace::query;
  bool is_redirect = false;   // the URL that a redirect names
  bool json_escaped = false;  // the pairs stand in a JSON string, where `&` may be \u0026
};

// Looks through the pairs in `text` from `begin` to `end`.
void find_pair_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                       TextEdits& edits);

// Looks through the userinfo, query and fragment of the URL (or reference) from `begin` to `end`.
void find_url_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                      TextEdits& edits);

// Whether an unnamed text may be a form: no spaces or markup at its beginning, and pairs.
bool looks_like_form(std::string_view text);

}  // namespace tapedeck
