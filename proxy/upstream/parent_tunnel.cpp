#include "proxy/upstream/parent_tunnel.hpp"

namespace tapedeck {

namespace {

using Phase = NetworkFailure::Phase;
using Kind = NetworkFailure::Kind;

NetworkFailure failure_of(const ParentProxy& parent, Kind kind, std::string_view what) {
  return {Phase::connect, kind, NetworkFailure::Side::upstream,
          "the parent proxy " + parent.address() + " " + std::string(what), 0};
}

}  // namespace

std::string parent_connect_head(const ParentProxy& parent, const DialTarget& target, std::string_view via) {
  const bool v6 = target.host.find(':') != std::string::npos;
  const auto authority = (v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
  auto head = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!via.empty()) head.append("Via: ").append(via).append("\r\n");
  if (!parent.authorization.empty()) head.append("Proxy-Authorization: ").append(parent.authorization).append("\r\n");
  return head.append("\r\n");
}

std::optional<NetworkFailure> parent_refusal(const ParentProxy& parent, int status) {
  if (status / 100 == 2) return std::nullopt;
  const auto answered = "answered " + std::to_string(status);
  if (status == 407) {
    const auto* mend = parent.authorization.empty() ? "; give it credentials in the proxy variable's URL"
                                                    : "; correct the credentials in the proxy variable's URL";
    return failure_of(parent, Kind::refused, answered + mend);
  }
  if (status == 504) return failure_of(parent, Kind::timeout, answered);
  return failure_of(parent, status / 100 == 5 ? Kind::unreachable : Kind::refused, answered);
}

NetworkFailure parent_failure(const ParentProxy& parent, NetworkFailure failure) {
  const auto what = [&]() -> std::string {
    switch (failure.kind) {
      case Kind::not_found:
        return "has no address (DNS)";
      case Kind::refused:
        return "refused the connection";
      case Kind::timeout:
        return "did not answer in time";
      case Kind::reset:
      case Kind::closed:
        return "closed the connection before it answered";
      default:
        return "cannot be reached";
    }
  }();
  return failure_of(parent, failure.kind, what);
}

NetworkFailure parent_garbage(const ParentProxy& parent, const HeadRefusal& refusal) {
  return failure_of(parent, Kind::protocol, "sent no answer of HTTP/1.1: " + std::string(refusal.detail));
}

}  // namespace tapedeck
