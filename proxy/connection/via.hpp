#pragma once

#include <string_view>

#include "proxy/http/head_scan.hpp"

namespace tapedeck {

// Whether a request has come through this very run before (RFC 9110 §7.6.3): its Via names our pseudonym. Comments may
// hold anything, so the pseudonym is looked for anywhere; it is random, and nobody has it by chance.
bool has_passed_here(const ScannedHead& head, std::string_view pseudonym);

}  // namespace tapedeck
