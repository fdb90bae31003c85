#pragma once

#include <string_view>
#include <vector>

#include "storage/scan/finding.hpp"

namespace tapedeck {

// Values whose form alone says that they are secrets, whatever they stand under: tokens of well-known issuers, JSON Web
// Tokens, private keys, credentials as `Bearer …`, `Basic …` and in URLs. Placeholders are none.
void find_secret_shapes(std::string_view text, std::vector<SuspectSpan>& found);

// Long strings that look random. Most are identifiers and digests, so they are warnings, and the first few will do.
void find_random_strings(std::string_view text, std::vector<SuspectSpan>& found);

}  // namespace tapedeck
