#pragma once

#include <optional>

#include "proxy/modes/exchange_handler.hpp"
#include "replay/matching/body_key.hpp"
#include "storage/redaction/redactor.hpp"

namespace tapedeck {

// Reads the whole body of a request into `request`, telling a client that waits for it to go on (RFC 9110 §10.1.1).
// A refusal when the client sent what cannot be read, left, or sent more than `body_bytes_max`.
awaitable<std::optional<HeadRefusal>> read_whole_body(Request& request, bool expects_continue, ClientChannel& client,
                                                      std::size_t body_bytes_max);

// The key of a request whose body is held although it is a long one; nothing when it cannot be searched for secrets.
std::optional<BodyKey> key_of_long_body(const Request& request, const Redactor& redactor);

// What a body was found to be: its bytes are in the request, or it outgrew `body_memory_bytes_max`, and then there is
// only its key, of what the redactor left of it.
struct BodyForMatching {
  std::optional<HeadRefusal> refusal;
  std::optional<BodyKey> long_body;
};
// Reads a body of any size, as read_whole_body does.
awaitable<BodyForMatching> read_body_for_matching(Request& request, bool expects_continue, ClientChannel& client,
                                                  const Redactor& redactor);

}  // namespace tapedeck
