// Hosts, URLs and targets: what is taken is written again as the same thing, and where a request goes follows from
// what was parsed.

#include <string>
#include <vector>

#include "config/parse_values.hpp"
#include "config/profile.hpp"
#include "proxy/connection/origin_decision.hpp"
#include "proxy/http/served_head.hpp"
#include "replay/matching/url_normalisation.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

using namespace tapedeck;

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void check_authority(std::string_view text) {
  const auto parsed = parse_authority(text);
  if (!parsed) {
    TAPEDECK_CHECK(parsed.error().blame == Blame::client && is_one_line(parsed.error().detail));
    return;
  }
  TAPEDECK_CHECK(!parsed->host.empty() && parsed->port != 0);
  TAPEDECK_CHECK(parsed->host.find_first_of(" /?#@\\%[]") == std::string::npos && is_one_line(parsed->host));
  const auto again = parse_authority(Origin{"http", parsed->host, parsed->port.value_or(80)}.authority());
  TAPEDECK_CHECK(again && again->host == parsed->host && again->ip_literal == parsed->ip_literal);
  TAPEDECK_CHECK(again->port.value_or(80) == parsed->port.value_or(80));
}

void check_options(std::string_view text) {
  if (const auto url = parse_upstream_url(text)) {
    TAPEDECK_CHECK(url->port != 0 && !url->host.empty());
    const auto again = parse_upstream_url(Origin{url->scheme, url->host, url->port}.text());
    TAPEDECK_CHECK(again && again->scheme == url->scheme && again->host == url->host && again->port == url->port);
  } else {
    TAPEDECK_CHECK(is_one_line(url.error().detail));
  }
  if (const auto glob = parse_host_glob(text)) {
    const auto again = parse_host_glob(*glob);
    TAPEDECK_CHECK(again && *again == *glob);
    if (glob->find_first_of("*:") == std::string::npos) TAPEDECK_CHECK(host_glob_matches(*glob, *glob, 443));
  } else {
    TAPEDECK_CHECK(is_one_line(glob.error().detail));
  }
  host_glob_matches(text, "api.x.io", 443);
  if (const auto connect_to = parse_connect_to(text); !connect_to) {
    TAPEDECK_CHECK(is_one_line(connect_to.error().detail));
  }
}

// What is canonical stays so: keys of recordings may be made from either form.
void check_normal_forms(std::string_view text) {
  const auto target = split_target(text);
  const auto path = normalised_path(target.path);
  TAPEDECK_CHECK(normalised_path(path) == path);
  const auto pairs = normalised_pairs(target.query);
  std::string joined;
  for (const auto& pair : pairs) {
    decoded_pair(pair);
    if (!joined.empty()) joined += '&';
    joined += pair;
  }
  TAPEDECK_CHECK(normalised_pairs(joined) == pairs);
}

void check_forward(const Forward& forward, const ScannedHead& head) {
  TAPEDECK_CHECK(forward.origin.scheme == "http" || forward.origin.scheme == "https");
  TAPEDECK_CHECK(forward.origin.port != 0);
  const auto host = parse_authority(forward.origin.authority());
  TAPEDECK_CHECK(host && host->host == forward.origin.host);
  TAPEDECK_CHECK(forward.target.starts_with('/') || forward.target == "*");
  Request request;
  request.method = head.method;
  request.origin = forward.origin;
  request.target = forward.target;
  for (const auto& field : head.fields) request.headers.add(field.name, field.value);
  const auto written = forwarded_head(request, std::nullopt);
  ScannedHead again;
  TAPEDECK_CHECK(scan_request_head(written, {}, again).outcome == HeadScan::Outcome::complete);
  TAPEDECK_CHECK(again.head_bytes == written.size() && again.target == forward.target);
  const auto said = parse_authority(again.find("Host"));
  TAPEDECK_CHECK(said && said->host == forward.origin.host);
  TAPEDECK_CHECK(said->port.value_or(default_port(forward.origin.scheme)) == forward.origin.port);
}

void check_decision(const Arrival& arrival, const ScannedHead& head, const OriginRules& rules) {
  const auto decision = decide_origin(arrival, head, rules);
  if (const auto* forward = std::get_if<Forward>(&decision)) check_forward(*forward, head);
  if (const auto* refusal = std::get_if<OriginRefusal>(&decision)) {
    TAPEDECK_CHECK(refusal->status >= 400 && refusal->status <= 499 && is_one_line(refusal->detail));
  }
  if (const auto* tunnel = std::get_if<Tunnel>(&decision)) {
    TAPEDECK_CHECK(!tunnel->host.empty() && tunnel->port != 0);
  }
}

}  // namespace

// A byte of choices, then texts that end with NUL: target, Host, the CONNECT's authority, SNI.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const auto choices = input.byte();
  const auto target = input.text();
  const auto host = input.text();
  const auto tunnel = input.text();
  const auto sni = input.text();
  for (const auto text : {target, host, tunnel, sni}) {
    check_authority(text);
    check_options(text);
    check_normal_forms(text);
  }

  OriginRules rules;
  if ((choices & 1) != 0) rules.upstream = UpstreamUrl{"https", "api.x.io", 443};
  rules.is_intercepted = [](std::string_view name, std::uint16_t port) {
    return host_glob_matches("*.x.io", name, port) || host_glob_matches("[::1]:8080", name, port);
  };
  Arrival arrival;
  arrival.local_port = 8484;
  arrival.tls = (choices & 2) != 0;
  if ((choices & 4) != 0) {
    if (const auto authority = parse_authority(tunnel)) arrival.tunnel = *authority;
  }
  if ((choices & 8) != 0) arrival.sni = sni;
  constexpr std::string_view methods[] = {"GET", "OPTIONS", "CONNECT", "POST"};
  std::string bytes(methods[choices >> 4 & 3]);
  bytes.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n");
  ScannedHead head;
  if (scan_request_head(bytes, {}, head).outcome == HeadScan::Outcome::complete) check_decision(arrival, head, rules);
  if (arrival.tunnel && arrival.tunnel->port) decide_peeked_tunnel(*arrival.tunnel, arrival.sni, rules);
  may_end_direct_tls(arrival.sni, rules);
  return 0;
}
