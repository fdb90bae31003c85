#pragma once

#include "storage/exchange/headers.hpp"
#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// Replaces the secrets in the values of fields, trailers alike: names, order and harmless values stay. Allocates only
// when something is replaced. `is_redirect` is whether a Location field answers a redirect. `tally` may be null.
void redact_headers(Headers& headers, const RuleScope& scope, bool is_redirect, Tally* tally);

// Replaces digests of a body that was changed: a digest of a secret can be tried against guesses.
void redact_digests(Headers& headers, const RuleScope& scope, Tally* tally);

}  // namespace tapedeck
