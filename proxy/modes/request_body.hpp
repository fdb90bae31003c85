#pragma once

#include <optional>

#include "proxy/modes/exchange_handler.hpp"

namespace tapedeck {

// Reads the whole body of a request into `request`, telling a client that waits for it to go on (RFC 9110 §10.1.1).
// A refusal when the client sent what cannot be read, left, or sent more than `body_bytes_max`.
awaitable<std::optional<HeadRefusal>> read_whole_body(Request& request, bool expects_continue, ClientChannel& client,
                                                      std::size_t body_bytes_max);

}  // namespace tapedeck
