#pragma once

#include <string>
#include <string_view>

#include "config/result.hpp"
#include "proxy/http/head_scan.hpp"

namespace tapedeck {

// What is known of a connection's session before a request comes on it. An empty text stands for nothing known.
struct SessionSources {
  std::string_view listener;   // the listening port is this session's own
  std::string_view tunnel;     // named on the CONNECT
  std::string_view otherwise;  // of clients that say nothing
};

// The session of a request that names none itself. A view of `known`.
std::string_view implied_session(const SessionSources& known);
// Whether the request may name one.
bool names_session(const ScannedHead& head);

// The session of a request, surest first: the listening port, the field Tapedeck-Session, the user name of a
// Proxy-Authorization that was sent unasked, what the CONNECT said, the default. Failure `bad-session` for a name that
// is none; it quotes nothing, since a user name may be a secret.
Result<std::string> choose_session(const SessionSources& known, const ScannedHead& head);

}  // namespace tapedeck
