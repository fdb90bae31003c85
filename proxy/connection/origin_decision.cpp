#include "proxy/connection/origin_decision.hpp"

#include <algorithm>
#include <utility>

namespace tapedeck {

namespace {

constexpr std::string_view health_path = "/__tapedeck/health";

OriginRefusal refuse(int status, std::string code, std::string detail) {
  return {status, std::move(code), std::move(detail)};
}

OriginRefusal refuse(const Failure& failure) {
  return refuse(400, failure.code, failure.detail);
}

OriginRefusal misdirected(std::string detail) {
  return refuse(421, "other-authority", std::move(detail));
}

std::string authority_text(const std::string& host, std::uint16_t port) {
  return Origin{"", host, port}.authority();
}

bool is_health(std::string_view target) {
  return target.substr(0, target.find('?')) == health_path;
}

bool is_named(const OriginRules& rules, std::string_view host, std::uint16_t port) {
  if (rules.upstream && rules.upstream->host == host && rules.upstream->port == port) return true;
  return rules.is_intercepted && rules.is_intercepted(host, port);
}

std::string_view scheme_of(const Arrival& arrival) {
  return arrival.tls ? "https" : "http";
}

// The name in a ClientHello. One that is no host name counts as none.
std::optional<std::string> server_name(std::optional<std::string_view> sni) {
  if (!sni) return std::nullopt;
  auto parsed = parse_authority(*sni);
  if (!parsed || parsed->port) return std::nullopt;
  return std::move(parsed->host);
}

// The port of a host that was dialled as if we were it. Our own port in the Host field only says how we were reached.
std::uint16_t direct_port(const Arrival& arrival, const Authority& host, const OriginRules& rules) {
  if (host.port && *host.port != arrival.local_port) return *host.port;
  if (rules.upstream && rules.upstream->host == host.host) return rules.upstream->port;
  return default_port(scheme_of(arrival));
}

// Where the request must go whatever it says of itself: the tunnel's end, or the name of the TLS server.
std::optional<Origin> bound_origin(const Arrival& arrival, const Authority& said, const OriginRules& rules) {
  if (!arrival.tls && !arrival.tunnel) return std::nullopt;
  auto name = arrival.tls ? server_name(arrival.sni) : std::nullopt;
  if (arrival.tunnel) {
    const auto& tunnel = *arrival.tunnel;
    const auto port = tunnel.port.value_or(default_port(scheme_of(arrival)));
    return Origin{std::string(scheme_of(arrival)), name && tunnel.ip_literal ? *name : tunnel.host, port};
  }
  if (!name || is_loopback_host(*name)) return std::nullopt;
  const auto port = direct_port(arrival, {*name, said.port, false}, rules);
  return Origin{"https", std::move(*name), port};
}

bool agrees(const Authority& said, std::string_view scheme, const Origin& bound, const Arrival& arrival) {
  if (scheme != bound.scheme || said.host != bound.host) return false;
  // A direct origin took its port from what was said.
  return !arrival.tunnel || said.port.value_or(default_port(scheme)) == bound.port;
}

WayIn way_in(const Arrival& arrival) {
  if (arrival.tunnel) return arrival.tls ? WayIn::connect_tls : WayIn::connect_plain;
  return arrival.tls ? WayIn::tls_direct : WayIn::origin_form;
}

OriginDecision decide_connect(const Arrival& arrival, std::string_view target, const OriginRules& rules) {
  if (arrival.tunnel || arrival.tls) {
    return refuse(400, "connect-inside", "CONNECT came within TLS or another tunnel; use an http:// proxy URL");
  }
  const auto authority = parse_authority(target);
  if (!authority) return refuse(authority.error());
  if (!authority->port) return refuse(400, "connect-without-port", "CONNECT needs host:port; name the port");
  if (is_named(rules, authority->host, *authority->port)) return Intercept{authority->host, *authority->port};
  if (authority->ip_literal) return PeekClientHello{authority->host, *authority->port};
  return Tunnel{authority->host, *authority->port};
}

struct AbsoluteTarget {
  std::string scheme;
  Authority authority;
  std::string path_and_query;
};

Result<AbsoluteTarget> parse_absolute(std::string_view method, std::string_view target) {
  const auto scheme_end = target.find("://");
  const auto scheme = target.substr(0, scheme_end);
  const bool https = equal_without_case(scheme, "https");
  if (!https && !equal_without_case(scheme, "http")) {
    return Failure{"bad-scheme", Blame::client, "only http and https URLs go through here; use one of them"};
  }
  const auto rest = target.substr(scheme_end + 3);
  const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = parse_authority(rest.substr(0, authority_end));
  if (!authority) return authority.error();
  std::string path(rest.substr(authority_end));
  // RFC 9112 §3.2.4: OPTIONS of a URL without path and query is of the whole origin.
  if (path.empty()) path = method == "OPTIONS" ? "*" : "/";
  if (path.front() == '?') path.insert(0, "/");
  return AbsoluteTarget{https ? "https" : "http", *authority, std::move(path)};
}

OriginRefusal other_authority(const std::string& said_host, const Origin& bound, bool tunnel) {
  return misdirected("the request is for " + said_host + (tunnel ? ", but the tunnel is to " : ", but TLS is with ") +
                     bound.text() + "; send it over a connection of its own");
}

OriginDecision decide_absolute(const Arrival& arrival, const ScannedHead& head, const OriginRules& rules) {
  auto parsed = parse_absolute(head.method, head.target);
  if (!parsed) return refuse(parsed.error());
  if (is_health(parsed->path_and_query)) return LocalHealth{};
  const auto port = parsed->authority.port.value_or(default_port(parsed->scheme));
  Forward forward{{parsed->scheme, parsed->authority.host, port}, std::move(parsed->path_and_query)};
  const auto bound = bound_origin(arrival, parsed->authority, rules);
  if (bound) {
    if (!agrees(parsed->authority, parsed->scheme, *bound, arrival)) {
      return other_authority(forward.origin.host, *bound, arrival.tunnel.has_value());
    }
    forward.origin = *bound;
  }
  forward.way_in = bound ? way_in(arrival) : WayIn::absolute_form;
  forward.intercepted = bound || is_named(rules, forward.origin.host, forward.origin.port);
  return forward;
}

// Origin-form where the connection has no origin of its own: the upstream's, if the Host field is one under which
// somebody may rightly mean us. A web page whose own name was made to resolve to this machine may not (DNS rebinding).
OriginDecision decide_reverse(const Arrival& arrival, const ScannedHead& head, const Authority& host,
                              const OriginRules& rules) {
  if (host.host.empty()) return refuse(400, "missing-host", "the request has no Host; send one");
  const bool named = is_named(rules, host.host, direct_port(arrival, host, rules)) && !arrival.tls;
  if (!is_loopback_host(host.host) && !host.ip_literal && !named) {
    return misdirected("Host " + host.host +
                       " is not this proxy's; use its own address, or name that host with --host");
  }
  if (!rules.upstream) {
    return refuse(400, "no-upstream",
                  "the request came without a proxy and there is no upstream for it; start with --upstream URL");
  }
  return Forward{{rules.upstream->scheme, rules.upstream->host, rules.upstream->port},
                 std::string(head.target),
                 way_in(arrival),
                 true,
                 true};
}

OriginDecision decide_origin_form(const Arrival& arrival, const ScannedHead& head, const OriginRules& rules) {
  if (is_health(head.target)) return LocalHealth{};
  Authority host;
  if (const auto sent = head.find("host"); !sent.empty()) {
    auto parsed = parse_authority(sent);
    if (!parsed) return refuse(parsed.error());
    host = std::move(*parsed);
  }
  auto bound = bound_origin(arrival, host, rules);
  if (!bound) return decide_reverse(arrival, head, host, rules);
  if (!host.host.empty() && !agrees(host, scheme_of(arrival), *bound, arrival)) {
    return other_authority(host.host, *bound, arrival.tunnel.has_value());
  }
  if (!arrival.tunnel && !is_named(rules, bound->host, bound->port)) {
    return misdirected("nobody named " + authority_text(bound->host, bound->port) + " here; name it with --host");
  }
  return Forward{std::move(*bound), std::string(head.target), way_in(arrival), false, true};
}

}  // namespace

std::string text_of(const Arrival& arrival) {
  std::string text;
  // Of what a client wrote the size comes first.
  const auto append = [&text](std::string_view part) {
    text.append(std::to_string(part.size())).append(":").append(part);
  };
  text.append(arrival.tls ? "tls " : "plain ").append(std::to_string(arrival.local_port)).append(" ");
  append(arrival.tunnel ? "tunnel" : "");
  append(arrival.tunnel ? arrival.tunnel->host : "");
  append(arrival.tunnel && arrival.tunnel->port ? std::to_string(*arrival.tunnel->port) : "");
  append(arrival.tunnel && arrival.tunnel->ip_literal ? "address" : "");
  append(arrival.sni ? "name" : "");
  append(arrival.sni.value_or(""));
  return text;
}

OriginDecision decide_origin(const Arrival& arrival, const ScannedHead& head, const OriginRules& rules) {
  const auto target = head.target;
  if (head.method == "CONNECT") return decide_connect(arrival, target, rules);
  if (target.starts_with('/')) return decide_origin_form(arrival, head, rules);
  if (target == "*") {
    if (head.method == "OPTIONS") return decide_origin_form(arrival, head, rules);
    return refuse(400, "asterisk-form", "the target * is for OPTIONS alone; ask for a path");
  }
  if (target.find("://") != std::string_view::npos) return decide_absolute(arrival, head, rules);
  return refuse(400, "bad-target", "the request target is neither a path nor a URL; begin it with / or http://");
}

const Forward* OriginMemo::find(const ScannedHead& head) const {
  const bool same = decided_ && head.target.starts_with('/') && head.method != "CONNECT" && head.find("host") == host_;
  return same && !is_health(head.target) ? &*decided_ : nullptr;
}

void OriginMemo::remember(const ScannedHead& head, const Forward& decided) {
  if (!head.target.starts_with('/')) return;
  decided_ = decided;
  host_ = head.find("host");
}

OriginDecision decide_peeked_tunnel(const Authority& connect, std::optional<std::string_view> sni,
                                    const OriginRules& rules) {
  const auto port = connect.port.value_or(default_port("https"));
  if (auto name = server_name(sni); name && is_named(rules, *name, port)) return Intercept{std::move(*name), port};
  return Tunnel{connect.host, port};
}

bool may_end_direct_tls(std::optional<std::string_view> sni, const OriginRules& rules) {
  const auto name = server_name(sni);
  if (!name || is_loopback_host(*name)) return rules.upstream.has_value();
  const Arrival arrival{true, std::nullopt, sni, 0};
  return is_named(rules, *name, direct_port(arrival, {*name, std::nullopt, false}, rules));
}

}  // namespace tapedeck
