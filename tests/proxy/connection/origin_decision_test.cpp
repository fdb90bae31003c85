#include "proxy/connection/origin_decision.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

// `api.roaring.io`, `*.listed.example` and 10.0.0.9 are named; the upstream is as each row has it.
bool is_intercepted(std::string_view host, std::uint16_t) {
  return host == "api.roaring.io" || host.ends_with(".listed.example") || host == "10.0.0.9";
}

OriginRules rules_with(std::optional<UpstreamUrl> upstream) {
  return {std::move(upstream), is_intercepted};
}

const OriginRules with_upstream = rules_with(UpstreamUrl{"https", "api.roaring.io", 443});
const OriginRules other_upstream = rules_with(UpstreamUrl{"http", "up.example", 8080});
const OriginRules no_upstream = rules_with(std::nullopt);

std::string_view text_of(WayIn way_in) {
  constexpr std::string_view names[] = {"connect-tls", "connect-plain", "absolute-form", "tls-direct", "origin-form"};
  return names[static_cast<std::size_t>(way_in)];
}

std::string describe(const OriginDecision& decision) {
  const auto dialled = [](const char* what, const auto& to) {
    return std::string(what) + " " + to.host + " " + std::to_string(to.port);
  };
  if (const auto* forward = std::get_if<Forward>(&decision)) {
    auto text = forward->origin.text() + " " + forward->target + " " + std::string(text_of(forward->way_in));
    if (forward->reverse) text += " reverse";
    if (!forward->intercepted) text += " unnamed";
    return text;
  }
  if (const auto* refusal = std::get_if<OriginRefusal>(&decision)) {
    CHECK(refusal->detail.find('\n') == std::string::npos);
    CHECK_FALSE(refusal->detail.empty());
    return std::to_string(refusal->status) + " " + refusal->code;
  }
  if (const auto* tunnel = std::get_if<Tunnel>(&decision)) return dialled("tunnel", *tunnel);
  if (const auto* intercept = std::get_if<Intercept>(&decision)) return dialled("intercept", *intercept);
  if (const auto* peek = std::get_if<PeekClientHello>(&decision)) return dialled("peek", *peek);
  return "health";
}

struct Row {
  std::string name;
  std::string request;  // "GET /a"
  std::string host;     // "-" for none
  std::string outcome;
};

// What the memo says of a request in origin-form is what was decided for it; of others it says nothing.
void check_memo(const Arrival& arrival, const OriginRules& rules, ScannedHead head, const Forward& decided) {
  OriginMemo memo;
  memo.remember(head, decided);
  const auto* known = memo.find(head);
  REQUIRE((known != nullptr) == head.target.starts_with('/'));
  if (!known) return;
  CHECK(describe(*known) == describe(decided));
  const auto other = [&](std::string_view method, std::string_view target, std::string_view host) {
    auto changed = head;
    changed.method = method;
    changed.target = target;
    if (!host.empty()) changed.fields = {{"Host", host}};
    return memo.find(changed);
  };
  CHECK(other("POST", "/another", "") == known);
  head.target = "/another?path=1";
  auto as_remembered = *known;
  as_remembered.target = head.target;
  CHECK(describe(decide_origin(arrival, head, rules)) == describe(as_remembered));
  CHECK(other("GET", "/another", "elsewhere.example") == nullptr);
  CHECK(other("GET", "/__tapedeck/health", "") == nullptr);
  CHECK(other("GET", "http://127.0.0.1/", "") == nullptr);
  CHECK(other("OPTIONS", "*", "") == nullptr);
  CHECK(other("CONNECT", "/another", "") == nullptr);
  memo.forget();
  CHECK(memo.find(head) == nullptr);
}

void check(const Arrival& arrival, const OriginRules& rules, const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto space = row.request.find(' ');
    ScannedHead head;
    head.method = std::string_view(row.request).substr(0, space);
    head.target = std::string_view(row.request).substr(space + 1);
    if (row.host != "-") head.fields.push_back({"Host", row.host});
    const auto decision = decide_origin(arrival, head, rules);
    CHECK(describe(decision) == row.outcome);
    if (const auto* forward = std::get_if<Forward>(&decision)) check_memo(arrival, rules, head, *forward);
  }
}

Arrival plain() {
  Arrival arrival;
  arrival.local_port = 8484;
  return arrival;
}

Arrival tunnel(Authority authority, bool tls, std::optional<std::string_view> sni = std::nullopt) {
  auto arrival = plain();
  arrival.tls = tls;
  arrival.tunnel = std::move(authority);
  arrival.sni = sni;
  return arrival;
}

Arrival direct_tls(std::optional<std::string_view> sni) {
  auto arrival = plain();
  arrival.tls = true;
  arrival.sni = sni;
  return arrival;
}

}  // namespace

TEST_CASE("CONNECT") {
  check(plain(), with_upstream,
        {
            {"named host", "CONNECT api.roaring.io:443", "api.roaring.io:443", "intercept api.roaring.io 443"},
            {"case", "CONNECT API.Roaring.IO:443", "x", "intercept api.roaring.io 443"},
            {"Host says otherwise", "CONNECT api.roaring.io:443", "evil.example", "intercept api.roaring.io 443"},
            {"named by glob, other port", "CONNECT a.listed.example:8443", "-", "intercept a.listed.example 8443"},
            {"nobody named it", "CONNECT other.example:443", "other.example:443", "tunnel other.example 443"},
            {"IP address", "CONNECT 10.0.0.1:443", "-", "peek 10.0.0.1 443"},
            {"named IP address", "CONNECT 10.0.0.9:443", "-", "intercept 10.0.0.9 443"},
            {"IPv6", "CONNECT [2001:DB8::1]:443", "-", "peek 2001:db8::1 443"},
            {"no port", "CONNECT api.roaring.io", "-", "400 connect-without-port"},
            {"port 0", "CONNECT api.roaring.io:0", "-", "400 authority-port"},
            {"port too large", "CONNECT api.roaring.io:65536", "-", "400 authority-port"},
            {"user", "CONNECT a@api.roaring.io:443", "-", "400 authority-userinfo"},
            {"URL", "CONNECT https://api.roaring.io:443", "-", "400 authority-port"},
            {"URL without a port", "CONNECT https://api.roaring.io", "-", "400 authority-port"},
            {"path", "CONNECT /", "-", "400 authority-host"},
            {"asterisk", "CONNECT *", "-", "400 authority-host"},
            {"bare IPv6", "CONNECT ::1:443", "-", "400 authority-host"},
        });
  check(plain(), other_upstream,
        {{"the upstream is named", "CONNECT up.example:8080", "-", "intercept up.example 8080"}});
  check(plain(), {}, {{"no rules", "CONNECT api.roaring.io:443", "-", "tunnel api.roaring.io 443"}});
  check(tunnel({"api.roaring.io", 443, false}, true), with_upstream,
        {{"within a tunnel", "CONNECT api.roaring.io:443", "-", "400 connect-inside"}});
  check(direct_tls(std::nullopt), with_upstream,
        {{"within TLS", "CONNECT api.roaring.io:443", "-", "400 connect-inside"}});
}

TEST_CASE("absolute-form beats Host") {
  check(plain(), with_upstream,
        {
            {"http", "GET http://api.roaring.io/a?b", "api.roaring.io", "http://api.roaring.io /a?b absolute-form"},
            {"https", "GET https://api.roaring.io/a", "api.roaring.io", "https://api.roaring.io /a absolute-form"},
            {"another Host", "GET http://api.roaring.io/a", "evil.example", "http://api.roaring.io /a absolute-form"},
            {"bad Host", "GET http://api.roaring.io/a", "a:b:c", "http://api.roaring.io /a absolute-form"},
            {"no Host", "GET http://api.roaring.io/a", "-", "http://api.roaring.io /a absolute-form"},
            {"capitals", "GET HTTPS://API.Roaring.IO/A", "-", "https://api.roaring.io /A absolute-form"},
            {"port", "GET http://a.listed.example:8080/", "-", "http://a.listed.example:8080 / absolute-form"},
            {"own port", "GET https://api.roaring.io:443/", "-", "https://api.roaring.io / absolute-form"},
            {"no path", "GET http://api.roaring.io", "-", "http://api.roaring.io / absolute-form"},
            {"no path but a query", "GET http://api.roaring.io?a", "-", "http://api.roaring.io /?a absolute-form"},
            {"OPTIONS without a path", "OPTIONS http://api.roaring.io", "-", "http://api.roaring.io * absolute-form"},
            {"path is kept raw", "GET http://api.roaring.io//a/../%41", "-",
             "http://api.roaring.io //a/../%41 absolute-form"},
            {"URL in the query", "GET http://api.roaring.io/?a=b://c@d", "-",
             "http://api.roaring.io /?a=b://c@d absolute-form"},
            {"nobody named it", "GET http://other.example/", "-", "http://other.example / absolute-form unnamed"},
            {"IPv6", "GET http://[::1]:81/", "-", "http://[::1]:81 / absolute-form unnamed"},
            {"user", "GET http://user:pw@api.roaring.io/", "-", "400 authority-userinfo"},
            {"no host", "GET http:///a", "-", "400 authority-empty"},
            {"bad port", "GET http://api.roaring.io:x/", "-", "400 authority-port"},
            {"empty port", "GET http://api.roaring.io:/", "-", "400 authority-port"},
            {"backslash", "GET http://api.roaring.io\\@evil.example/", "-", "400 authority-userinfo"},
            {"half-numeric address", "GET http://127.1/", "-", "400 authority-host"},
            {"ftp", "GET ftp://api.roaring.io/", "-", "400 bad-scheme"},
            {"no scheme", "GET ://api.roaring.io/", "-", "400 bad-scheme"},
        });
}

TEST_CASE("in a tunnel the CONNECT authority is the origin") {
  check(tunnel({"api.roaring.io", 443, false}, true, "api.roaring.io"), with_upstream,
        {
            {"same Host", "GET /a", "api.roaring.io", "https://api.roaring.io /a connect-tls"},
            {"Host with the port", "GET /a", "api.roaring.io:443", "https://api.roaring.io /a connect-tls"},
            {"Host in capitals", "GET /a", "API.ROARING.IO", "https://api.roaring.io /a connect-tls"},
            {"no Host", "GET /a", "-", "https://api.roaring.io /a connect-tls"},
            {"empty Host", "GET /a", "", "https://api.roaring.io /a connect-tls"},
            {"another host", "GET /a", "other.example", "421 other-authority"},
            {"another port", "GET /a", "api.roaring.io:8443", "421 other-authority"},
            {"loopback", "GET /a", "127.0.0.1", "421 other-authority"},
            {"bad Host", "GET /a", "a:b", "400 authority-port"},
            {"same URL", "GET https://api.roaring.io/a", "x", "https://api.roaring.io /a connect-tls"},
            {"URL of another host", "GET https://other.example/a", "api.roaring.io", "421 other-authority"},
            {"URL of another scheme", "GET http://api.roaring.io:443/a", "-", "421 other-authority"},
            {"OPTIONS", "OPTIONS *", "api.roaring.io", "https://api.roaring.io * connect-tls"},
            {"health", "GET /__tapedeck/health", "api.roaring.io", "health"},
        });
  check(tunnel({"a.listed.example", 8443, false}, true), with_upstream,
        {
            {"port", "GET /", "a.listed.example:8443", "https://a.listed.example:8443 / connect-tls"},
            {"without the port", "GET /", "a.listed.example", "421 other-authority"},
        });
  check(tunnel({"a.listed.example", 80, false}, false), no_upstream,
        {
            {"plain", "GET /", "a.listed.example", "http://a.listed.example / connect-plain"},
            {"plain, another host", "GET /", "b.listed.example", "421 other-authority"},
        });
  check(tunnel({"a.listed.example", 443, false}, false), no_upstream,
        {{"plain on the TLS port", "GET /", "a.listed.example:443", "http://a.listed.example:443 / connect-plain"}});
}

TEST_CASE("a CONNECT to an IP address is for the name that TLS asks for") {
  const Authority address{"10.0.0.1", 8443, true};
  CHECK(describe(decide_peeked_tunnel(address, "api.roaring.io", with_upstream)) == "intercept api.roaring.io 8443");
  CHECK(describe(decide_peeked_tunnel(address, "API.roaring.io", with_upstream)) == "intercept api.roaring.io 8443");
  CHECK(describe(decide_peeked_tunnel(address, "other.example", with_upstream)) == "tunnel 10.0.0.1 8443");
  CHECK(describe(decide_peeked_tunnel(address, std::nullopt, with_upstream)) == "tunnel 10.0.0.1 8443");
  CHECK(describe(decide_peeked_tunnel(address, "a\r\n.listed.example", with_upstream)) == "tunnel 10.0.0.1 8443");
  CHECK(describe(decide_peeked_tunnel(address, "api.roaring.io:443", with_upstream)) == "tunnel 10.0.0.1 8443");
  check(tunnel(address, true, "api.roaring.io"), with_upstream,
        {
            {"Host agrees", "GET /", "api.roaring.io:8443", "https://api.roaring.io:8443 / connect-tls"},
            {"Host is the address", "GET /", "10.0.0.1:8443", "421 other-authority"},
        });
  check(tunnel({"10.0.0.9", 443, true}, true), with_upstream,
        {
            {"no name", "GET /", "10.0.0.9", "https://10.0.0.9 / connect-tls"},
            {"no name but a Host", "GET /", "api.roaring.io", "421 other-authority"},
        });
  check(tunnel({"::1", 443, true}, true), with_upstream,
        {{"IPv6", "GET /", "[0:0::1]", "https://[::1] / connect-tls"}});
  check(tunnel({"api.roaring.io", 443, false}, true, "a.listed.example"), with_upstream,
        {{"a name was asked for already", "GET /", "api.roaring.io", "https://api.roaring.io / connect-tls"}});
}

TEST_CASE("TLS straight away is for the name it asks for, and Host must agree") {
  check(direct_tls("api.roaring.io"), with_upstream,
        {
            {"same Host", "GET /a", "api.roaring.io", "https://api.roaring.io /a tls-direct"},
            {"Host with our port", "GET /a", "api.roaring.io:8484", "https://api.roaring.io /a tls-direct"},
            {"Host with another port", "GET /a", "api.roaring.io:8443", "https://api.roaring.io:8443 /a tls-direct"},
            {"no Host", "GET /a", "-", "https://api.roaring.io /a tls-direct"},
            {"another Host", "GET /a", "a.listed.example", "421 other-authority"},
            {"loopback Host", "GET /a", "localhost", "421 other-authority"},
            {"same URL", "GET https://api.roaring.io/a", "-", "https://api.roaring.io /a tls-direct"},
            {"URL of another host", "GET https://a.listed.example/a", "-", "421 other-authority"},
            {"URL of another scheme", "GET http://api.roaring.io/a", "-", "421 other-authority"},
        });
  check(direct_tls("other.example"), with_upstream,
        {{"nobody named it", "GET /a", "other.example", "421 other-authority"}});
  check(direct_tls("up.example"), other_upstream,
        {{"the upstream's port", "GET /a", "up.example:8484", "https://up.example:8080 /a tls-direct"}});
  for (const std::optional<std::string_view> sni :
       {std::optional<std::string_view>(), {"localhost"}, {"a.localhost"}, {"a b"}}) {
    check(direct_tls(sni), with_upstream,
          {
              {"loopback", "GET /a", "localhost:8484", "https://api.roaring.io /a tls-direct reverse"},
              {"loopback address", "GET /a", "127.0.0.1:8484", "https://api.roaring.io /a tls-direct reverse"},
              {"other address", "GET /a", "192.168.1.5:8484", "https://api.roaring.io /a tls-direct reverse"},
              {"listed name", "GET /a", "api.roaring.io", "421 other-authority"},
              {"other name", "GET /a", "evil.example", "421 other-authority"},
              {"no Host", "GET /a", "-", "400 missing-host"},
              {"URL", "GET http://api.roaring.io/a", "-", "http://api.roaring.io /a absolute-form"},
          });
    check(direct_tls(sni), no_upstream, {{"no upstream", "GET /a", "localhost", "400 no-upstream"}});
  }
}

TEST_CASE("TLS that begins straight away is ended for names we know and for ourselves") {
  CHECK(may_end_direct_tls("api.roaring.io", no_upstream));
  CHECK(may_end_direct_tls("up.example", other_upstream));
  CHECK_FALSE(may_end_direct_tls("other.example", with_upstream));
  CHECK(may_end_direct_tls("localhost", with_upstream));
  CHECK(may_end_direct_tls(std::nullopt, with_upstream));
  CHECK_FALSE(may_end_direct_tls("localhost", no_upstream));
  CHECK_FALSE(may_end_direct_tls(std::nullopt, no_upstream));
}

TEST_CASE("origin-form goes to the upstream, for hosts that mean us") {
  const std::string reverse = "https://api.roaring.io /a?b origin-form reverse";
  check(plain(), with_upstream,
        {
            {"localhost", "GET /a?b", "localhost:8484", reverse},
            {"below localhost", "GET /a?b", "api.localhost:8484", reverse},
            {"127/8", "GET /a?b", "127.9.9.9", reverse},
            {"IPv6 loopback", "GET /a?b", "[::1]:8484", reverse},
            {"any address", "GET /a?b", "192.168.1.5:8484", reverse},
            {"named host", "GET /a?b", "api.roaring.io", reverse},
            {"named host at our port", "GET /a?b", "api.roaring.io:8484", reverse},
            {"named by glob", "GET /a?b", "x.listed.example", reverse},
            {"rebound name", "GET /a?b", "evil.example", "421 other-authority"},
            {"rebound name at our port", "GET /a?b", "evil.example:8484", "421 other-authority"},
            {"name that begins like loopback", "GET /a?b", "127.evil.example", "421 other-authority"},
            {"name that ends like localhost", "GET /a?b", "evillocalhost", "421 other-authority"},
            {"half-numeric address", "GET /a?b", "127.1", "400 authority-host"},
            {"no Host", "GET /a?b", "-", "400 missing-host"},
            {"empty Host", "GET /a?b", "", "400 missing-host"},
            {"user", "GET /a?b", "a@localhost", "400 authority-userinfo"},
            {"bad port", "GET /a?b", "localhost:99999", "400 authority-port"},
            {"OPTIONS of all", "OPTIONS *", "localhost", "https://api.roaring.io * origin-form reverse"},
            {"path is kept raw", "GET //a/%2e%2e/./b", "localhost",
             "https://api.roaring.io //a/%2e%2e/./b origin-form reverse"},
            {"URL within the path", "GET /http://evil.example/", "localhost",
             "https://api.roaring.io /http://evil.example/ origin-form reverse"},
        });
  check(plain(), other_upstream,
        {
            {"the upstream's own name", "GET /", "up.example:8080", "http://up.example:8080 / origin-form reverse"},
            {"its name at our port", "GET /", "up.example:8484", "http://up.example:8080 / origin-form reverse"},
            {"a named host", "GET /", "api.roaring.io", "http://up.example:8080 / origin-form reverse"},
        });
  check(plain(), no_upstream,
        {
            {"no upstream", "GET /a", "localhost:8484", "400 no-upstream"},
            {"no upstream, rebound", "GET /a", "evil.example", "421 other-authority"},
        });
}

TEST_CASE("health is answered here, whatever the form and the host") {
  check(plain(), no_upstream,
        {
            {"origin-form", "GET /__tapedeck/health", "localhost:8484", "health"},
            {"any host", "GET /__tapedeck/health", "evil.example", "health"},
            {"no host", "GET /__tapedeck/health", "-", "health"},
            {"with a query", "GET /__tapedeck/health?a", "localhost", "health"},
            {"any method", "POST /__tapedeck/health", "localhost", "health"},
            {"URL", "GET http://127.0.0.1:8484/__tapedeck/health", "-", "health"},
            {"longer path", "GET /__tapedeck/healthy", "localhost", "400 no-upstream"},
            {"within a query", "GET /?/__tapedeck/health", "localhost", "400 no-upstream"},
        });
}

TEST_CASE("targets of no form") {
  check(plain(), with_upstream,
        {
            {"asterisk with GET", "GET *", "localhost", "400 asterisk-form"},
            {"authority with GET", "GET api.roaring.io:443", "localhost", "400 bad-target"},
            {"relative path", "GET a/b", "localhost", "400 bad-target"},
            {"query alone", "GET ?a", "localhost", "400 bad-target"},
            {"two asterisks", "OPTIONS **", "localhost", "400 bad-target"},
            {"connect in lower case is another method", "connect a:443", "localhost", "400 bad-target"},
        });
}

TEST_CASE("no two arrivals have the same text, whatever follows it") {
  const Authority name{"a", 443, false};
  std::vector<Arrival> arrivals{plain()};
  arrivals.push_back(plain());
  arrivals.back().local_port = 8485;
  arrivals.push_back(plain());
  arrivals.back().tls = true;
  for (const auto sni : {"", "a", "ab", "1:a"}) {
    arrivals.push_back(plain());
    arrivals.back().sni = sni;
  }
  for (const auto& authority :
       {name, Authority{"a", 44, false}, Authority{"a", std::nullopt, false}, Authority{"a", 443, true},
        Authority{"", std::nullopt, false}, Authority{"a4", 43, false}}) {
    arrivals.push_back(tunnel(authority, false));
    arrivals.push_back(tunnel(authority, true));
    arrivals.push_back(tunnel(authority, true, "a"));
  }
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    for (std::size_t k = 0; k < arrivals.size(); ++k) {
      CAPTURE(text_of(arrivals[i]));
      CAPTURE(text_of(arrivals[k]));
      CHECK(text_of(arrivals[k]).starts_with(text_of(arrivals[i])) == (i == k));
    }
  }
}
