#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/options.hpp"
#include "proxy/http/authority.hpp"
#include "proxy/http/head_scan.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// How a request reached us. The views live as long as the connection.
struct Arrival {
  bool tls = false;                     // TLS was ended for this request, within a tunnel or straight away
  std::optional<Authority> tunnel;      // the authority of the CONNECT that the request came through
  std::optional<std::string_view> sni;  // lower-case; of the TLS that was ended
  std::uint16_t local_port = 0;         // the port of ours that the client dialled
};

struct OriginRules {
  std::optional<UpstreamUrl> upstream;  // where origin-form requests go
  // Whether profiles, --host and --upstream name this host (decision 16). Called with a lower-case host, IPv6 without
  // brackets.
  std::function<bool(std::string_view host, std::uint16_t port)> is_intercepted;
};

// The request is for `origin`. `target` is the request's own in origin-form, otherwise unchanged, or "*".
struct Forward {
  Origin origin;
  std::string target;
  WayIn way_in = WayIn::origin_form;
  bool reverse = false;      // to --upstream: Location is mapped back
  bool intercepted = false;  // false: a plain request through the proxy to a host that nobody named
};

// CONNECT: dial and join, unread.
struct Tunnel {
  std::string host;
  std::uint16_t port = 0;
};

// CONNECT: answer 200 and end the TLS (or read the plain HTTP) that comes.
struct Intercept {
  std::string host;
  std::uint16_t port = 0;
};

// CONNECT to an IP address that nobody named: answer 200, peek at the ClientHello, then ask decide_peeked_tunnel.
struct PeekClientHello {
  std::string host;
  std::uint16_t port = 0;
};

// `/__tapedeck/health` in whatever form; never forwarded.
struct LocalHealth {};

// The answer is `status`; `detail` is one line that names the thing and the mend. Hosts that it quotes have been
// parsed.
struct OriginRefusal {
  int status = 400;
  std::string code;
  std::string detail;
};

using OriginDecision = std::variant<Forward, Tunnel, Intercept, PeekClientHello, LocalHealth, OriginRefusal>;

// Tells one arrival from any other: texts are equal only where arrivals are, also with something behind them.
std::string text_of(const Arrival& arrival);

// Which origin a request is for; the one place that decides it (decision 4). A pure function of its arguments.
OriginDecision decide_origin(const Arrival& arrival, const ScannedHead& head, const OriginRules& rules);

// The decision for a connection's requests in origin-form, which depends on nothing of theirs but the Host field: made
// once and remembered while that stays the same. Has to forget() when what the connection is changes.
class OriginMemo {
 public:
  // Null: decide_origin has to be asked. Else what it would say, but that the target is `head`'s.
  const Forward* find(const ScannedHead& head) const;
  void remember(const ScannedHead& head, const Forward& decided);
  void forget() { decided_.reset(); }

 private:
  std::optional<Forward> decided_;
  std::string host_;
};

// After PeekClientHello: the name in the ClientHello decides, the port stays CONNECT's. Without a name, or with one
// that nobody named, the tunnel goes to the address itself.
OriginDecision decide_peeked_tunnel(const Authority& connect, std::optional<std::string_view> sni,
                                    const OriginRules& rules);

// Whether TLS that begins straight away may be ended: for names that are intercepted, for loopback names and for
// clients that send no name (they dialled an IP address); the last two only where there is an upstream to go to.
bool may_end_direct_tls(std::optional<std::string_view> sni, const OriginRules& rules);

}  // namespace tapedeck
