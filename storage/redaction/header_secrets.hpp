#pragma once

#include "storage/exchange/headers.hpp"
#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// Replaces the secrets in the values of fields, trailers alike: names, order and harmless values stay. Allocates only
// when something is replaced. `is_redirect` is whether a Location field answers a redirect. `tally` may be null.
void redact_headers(Headers& headers, const RuleScope& scope, bool is_redirect, Tally* tally);

// Whether a word before a space names a scheme, and is not the first half of a secret with a space in it: letters and
// hyphens, or one of the few schemes with digits.
bool is_scheme_word(std::string_view word);

// Replaces digests of a body that was changed: a digest of a secret can be tried against guesses.
void redact_digests(Headers& headers, const RuleScope& scope, Tally* tally);

}  // namespace tapedeck
