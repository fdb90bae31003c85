#pragma once

#include "storage/exchange/body.hpp"
#include "storage/exchange/headers.hpp"
#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// Replaces the secrets in a body. If none is found its bytes stay as received; else only the bytes of the secrets
// change and the text is coded again in its own content coding. Failure `redaction-impossible` when the decoded body is
// over `decoded_bytes_max`. True when the body was changed.
//
// A body whose known coding cannot be undone to its end is read as far as it goes. If a secret stands there, what could
// be read is kept, redacted, with its coding left open; if not, the bytes stay, after a look at them as plain text,
// since a body is often called gzip without being so. Both cases, and bodies in a coding that is not known, are counted
// as "undecodable gzip" or "undecoded br", so that a person can look.
Result<bool> redact_body(const Headers& headers, Body& body, const RuleScope& scope, std::size_t decoded_bytes_max,
                         Tally* tally);

}  // namespace tapedeck
