#pragma once

#include <vector>

#include "config/profile.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// Applies the rewriting rules of the profiles that know the request's host to a response that is about to be served.
// What is kept is never changed. A body that does not decode, or is not JSON, is served as it is.
void rewrite_response(Response& response, const Request& request, const std::vector<Profile>& profiles);

}  // namespace tapedeck
