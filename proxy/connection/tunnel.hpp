#pragma once

#include "proxy/connection/byte_stream.hpp"

namespace tapedeck {

// Carries bytes both ways, unread, until both sides have ended or neither has said anything for `idle_timeout`. A
// side's end is passed on as a half-close. `early` is what the client sent behind its CONNECT.
awaitable<void> relay(ByteStream& client, ByteStream& upstream, std::string_view early,
                      std::chrono::milliseconds idle_timeout);

}  // namespace tapedeck
