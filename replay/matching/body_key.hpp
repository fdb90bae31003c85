#pragma once

#include <string>
#include <string_view>

#include "replay/matching/match_rules.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// The part of a match key that stands for the body (see MatchKey for what the fields hold).
struct BodyKey {
  std::string kind;
  std::string body;
};

// Looks at the body as it is without its content coding. A body that is not what its media type says, that cannot be
// decoded, or that is too large to take apart is compared byte by byte.
BodyKey body_key_of(const Request& request, const IgnoredKeys& ignored);

// "application/json" of "Application/JSON; charset=utf-8".
std::string media_type_of(std::string_view content_type);

}  // namespace tapedeck
