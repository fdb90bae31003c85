#include "config/parse_values.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;
using namespace std::chrono_literals;

namespace {

std::string text_of(const ListenAddress& address) {
  return address.host + " " + std::to_string(address.port) + (address.session.empty() ? "" : " " + address.session);
}

std::string text_of(const std::optional<ListenAddress>& address) {
  return address ? text_of(*address) : "off";
}

std::string text_of(const UpstreamUrl& url) {
  return url.scheme + " " + url.host + " " + std::to_string(url.port);
}

std::string text_of(const ConnectTo& rule) {
  return rule.from_host + " " + std::to_string(rule.from_port) + " " + rule.to_host + " " +
         std::to_string(rule.to_port);
}

std::string text_of(const std::string& text) {
  return text;
}

std::string text_of(const Timing& timing) {
  const char* kinds[] = {"none", "recorded", "scaled"};
  return kinds[static_cast<int>(timing.kind)] + std::string(" ") + std::to_string(timing.scale);
}

std::string text_of(bool on) {
  return on ? "on" : "off";
}

// A row's text is what comes out, or, behind "! ", the refusal.
template <class Value>
std::string outcome(const Result<Value>& result) {
  return result ? text_of(*result) : "! " + result.error().detail;
}

struct Row {
  std::string text;
  std::string outcome;
};

template <class Parse>
void check(Parse parse, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(outcome(parse(row.text)) == row.outcome);
  }
}

}  // namespace

TEST_CASE("addresses to listen on") {
  const std::string mend = "write [ADDR:]PORT, as in 8484, 127.0.0.1:8484 or [::1]:8484";
  const std::string no_port = " has no port from 0 to 65535 at its end; " + mend;
  const std::string no_name = " is no session name; write 1 to 64 letters, digits, '-', '_' or '.'";
  check(parse_listen_address,
        {
            {"8484", "127.0.0.1 8484"},
            {"0", "127.0.0.1 0"},
            {"65535", "127.0.0.1 65535"},
            {"127.0.0.2:1", "127.0.0.2 1"},
            {"localhost:80", "127.0.0.1 80"},
            {"0.0.0.0:80", "0.0.0.0 80"},
            {"[::1]:8484", "::1 8484"},
            {"[0:0:0:0:0:0:0:1]:8484", "::1 8484"},
            {"[::]:0", ":: 0"},
            {"0=alice", "127.0.0.1 0 alice"},
            {"127.0.0.2:1=a-1_b.c", "127.0.0.2 1 a-1_b.c"},
            {"[::1]:8484=bob", "::1 8484 bob"},
            {"0=", "! \"\"" + no_name},
            {"0=a b", "! \"a b\"" + no_name},
            {"0=a=b", "! \"a=b\"" + no_name},
            {"=alice", "! \"\"" + no_port},
            {"65536", "! \"65536\"" + no_port},
            {"-1", "! \"-1\"" + no_port},
            {"+1", "! \"+1\"" + no_port},
            {"", "! \"\"" + no_port},
            {"127.0.0.1", "! \"127.0.0.1\"" + no_port},
            {"127.0.0.1:", "! \"127.0.0.1:\"" + no_port},
            {"80 ", "! \"80 \"" + no_port},
            {"[::1]", "! \"[::1]\"" + no_port},
            {":80",
             "! \":80\" does not say which address; write 80 for this machine alone, or 0.0.0.0:80 with "
             "--allow-remote"},
            {"*:80",
             "! \"*:80\" does not say which address; write 80 for this machine alone, or 0.0.0.0:80 with "
             "--allow-remote"},
            {"::1:80", "! \"::1:80\" has an IPv6 address without brackets; " + mend},
            {"[127.0.0.1]:80", "! \"[127.0.0.1]:80\" does not begin with an IP address; " + mend},
            {"example.com:80", "! \"example.com:80\" does not begin with an IP address; " + mend},
            {"127.1:80", "! \"127.1:80\" does not begin with an IP address; " + mend},
            {"http://127.0.0.1:80", "! \"http://127.0.0.1:80\" does not begin with an IP address; " + mend},
        });
  check(parse_admin_address, {{"off", "off"},
                              {"127.0.0.1:0", "127.0.0.1 0"},
                              {"on", "! \"on\"" + no_port + "; or write off"},
                              {"127.0.0.1:0=alice", "! \"127.0.0.1:0=alice\"" + no_port + "; or write off"}});
}

TEST_CASE("which addresses other machines cannot reach") {
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1"}) CHECK(is_loopback({host, 1}));
  for (const char* host : {"0.0.0.0", "::", "192.168.0.1", "::ffff:127.0.0.1", "128.0.0.1"}) {
    CHECK(!is_loopback({host, 1}));
  }
}

TEST_CASE("the URL of an upstream") {
  const std::string example = "write scheme, host and port alone, as in https://api.roaring.io";
  check(parse_upstream_url,
        {
            {"https://api.roaring.io", "https api.roaring.io 443"},
            {"https://api.roaring.io/", "https api.roaring.io 443"},
            {"HTTPS://API.Roaring.IO", "https api.roaring.io 443"},
            {"https://api.roaring.io.", "https api.roaring.io 443"},
            {"http://127.0.0.1:8080", "http 127.0.0.1 8080"},
            {"http://[::1]", "http ::1 80"},
            {"https://[0:0::1]:1", "https ::1 1"},
            {"https://x.io:", "https x.io 443"},
            {"api.roaring.io", "! \"api.roaring.io\" has no scheme; write it as https://HOST"},
            {"", "! \"\" has no scheme; write it as https://HOST"},
            {"ftp://x.io", "! \"ftp://x.io\" is neither http nor https; " + example},
            {"https://x.io/v1", "! \"https://x.io/v1\" has a path, but the path comes from each request; " + example},
            {"https://", "! \"https://\" has no host that can be dialled; " + example},
            {"https://*.x.io", "! \"https://*.x.io\" has no host that can be dialled; " + example},
            {"https://x%2eio", "! \"https://x%2eio\" has no host that can be dialled; " + example},
            {"https://x.io:0", "! \"https://x.io:0\" has no port from 1 to 65535; " + example},
            {"https://x.io:99999", "! \"https://x.io:99999\" has no port from 1 to 65535; " + example},
            {"https://x y", "! \"https://x y\" is no URL; " + example},
            {"https://\xc3\xa5.se", "! \"https://\xc3\xa5.se\" is no URL; " + example},
            {"https://x.io\x1b[2J", "! \"https://x.io\\x1b[2J\" is no URL; " + example},
        });
}

TEST_CASE("a refused URL never repeats what can be secret") {
  check(parse_upstream_url,
        {
            {"https://ada:hunter2@x.io",
             "! \"https://…@x.io\" has user info; leave it out, clients send their own credentials"},
            {"https://x.io?api_key=hunter2",
             "! \"https://x.io?…\" has a query or fragment; write scheme, host and port alone, as in "
             "https://api.roaring.io"},
            {"ada:hunter2@x.io", "! \"…@x.io\" has no scheme; write it as https://HOST"},
        });
  CHECK(parse_host_glob("https://ada:hunter2@x.io").error().detail.find("hunter2") == std::string::npos);
}

TEST_CASE("connect-to, as curl's") {
  const std::string mend =
      "write HOST1:PORT1:HOST2:PORT2, with IPv6 in brackets, as in api.roaring.io:443:127.0.0.1:8443";
  check(parse_connect_to, {
                              {"api.x.io:443:127.0.0.1:8443", "api.x.io 443 127.0.0.1 8443"},
                              {"API.x.io:443:Other:8443", "api.x.io 443 other 8443"},
                              {"[::1]:443:[0::2]:8443", "::1 443 ::2 8443"},
                              {"::127.0.0.1:8443", " 0 127.0.0.1 8443"},
                              {"api.x.io:443::8443", "api.x.io 443  8443"},
                              {"api.x.io:443:other:", "api.x.io 443 other 0"},
                              {"api.x.io", "! \"api.x.io\" has not three colons; " + mend},
                              {"a:1:b:2:c", "! \"a:1:b:2:c\" has not three colons; " + mend},
                              {"a:1::", "! \"a:1::\" changes nothing; " + mend},
                              {"a:x:b:2", "! \"a:x:b:2\" has a host or port that is none; " + mend},
                              {"a:1:b:0", "! \"a:1:b:0\" has a host or port that is none; " + mend},
                              {"a b:1:c:2", "! \"a b:1:c:2\" has a host or port that is none; " + mend},
                              {"*.x.io:1:c:2", "! \"*.x.io:1:c:2\" has a host or port that is none; " + mend},
                          });
}

TEST_CASE("globs of hosts") {
  const std::string mend = "write a host like api.x.io, *.x.io for all below x.io, or *; with :PORT for one port";
  check(parse_host_glob,
        {
            {"api.x.io", "api.x.io"},
            {"*.X.io:8443", "*.x.io:8443"},
            {"*", "*"},
            {"*:443", "*:443"},
            {"127.0.0.1:80", "127.0.0.1:80"},
            {"[::1]", "[::1]"},
            {"[0::1]:80", "[::1]:80"},
            {"::1", "[::1]"},
            {"my_host-1", "my_host-1"},
            {"", "! \"\" is no host; " + mend},
            {"*.", "! \"*.\" is no host; " + mend},
            {"x..io", "! \"x..io\" is no host; " + mend},
            {".x.io", "! \".x.io\" is no host; " + mend},
            {"x.io/path", "! \"x.io/path\" is no host; " + mend},
            {"*.[::1]", "! \"*.[::1]\" is no host; " + mend},
            {"api.*.io*", "! \"api.*.io*\" has a * that is not the whole first label; " + mend},
            {"a*.x.io", "! \"a*.x.io\" has a * that is not the whole first label; " + mend},
            {"*.*", "! \"*.*\" has a * that is not the whole first label; " + mend},
            {"https://api.x.io", "! \"https://api.x.io\" is a URL; " + mend},
            {"x.io:0", "! \"x.io:0\" has no port from 1 to 65535 after its colon; " + mend},
            {"x.io:", "! \"x.io:\" has no port from 1 to 65535 after its colon; " + mend},
            {"a:b:c", "! \"a:b:c\" has more than one colon; " + mend},
            {"\xc3\xa5.se", "! \"\xc3\xa5.se\" has letters beyond ASCII; write the name in its xn-- form"},
        });
  CHECK(!parse_host_glob(std::string(64, 'a') + ".io").has_value());
  CHECK(parse_host_glob(std::string(63, 'a') + ".io").has_value());
}

TEST_CASE("the pace of a replay") {
  const std::string mend = " is no pace; write none, recorded, or xN with N from 0.001 to 10000 (x2 is twice as fast)";
  check(parse_timing, {
                          {"none", "none 1.000000"},
                          {"recorded", "recorded 1.000000"},
                          {"x2", "scaled 2.000000"},
                          {"x0.5", "scaled 0.500000"},
                          {"x", "! \"x\"" + mend},
                          {"2", "! \"2\"" + mend},
                          {"x0", "! \"x0\"" + mend},
                          {"x-1", "! \"x-1\"" + mend},
                          {"xinf", "! \"xinf\"" + mend},
                          {"xnan", "! \"xnan\"" + mend},
                          {"x1e3", "! \"x1e3\"" + mend},
                          {"x2x", "! \"x2x\"" + mend},
                          {"fast", "! \"fast\"" + mend},
                      });
}

TEST_CASE("words, switches, numbers and names") {
  CHECK(*parse_record_policy("new") == RecordPolicy::new_);
  CHECK(*parse_record_policy("all") == RecordPolicy::all);
  CHECK(parse_record_policy("onc").error().detail == "\"onc\" is none of new, once and all; did you mean once?");
  CHECK(parse_record_policy("new_episodes").error().detail == "\"new_episodes\" is called new here; write new");
  CHECK(*parse_sequence_policy("cycle") == SequencePolicy::cycle);
  CHECK(parse_sequence_policy("sometimes").error().detail ==
        "\"sometimes\" is none of sticky, cycle, error, first and last; choose one of them");
  check(parse_log_is_json, {{"json", "on"}, {"text", "off"}});
  check(parse_switch, {{"1", "on"},
                       {"TRUE", "on"},
                       {"yes", "on"},
                       {"0", "off"},
                       {"false", "off"},
                       {"off", "off"},
                       {"2", "! \"2\" is neither on nor off; write 1 or 0, true or false"}});
  CHECK(*parse_number("599", 400, 599) == 599);
  CHECK(parse_number("600", 400, 599).error().detail == "\"600\" is out of range; write one from 400 to 599");
  CHECK(parse_number("5x", 1, 9).error().detail == "\"5x\" is no whole number; write one from 1 to 9");
  CHECK(!parse_number("99999999999999999999", 1, 9).has_value());
  CHECK(*parse_seconds("30") == 30s);
  CHECK(*parse_seconds("0.1") == 100ms);
  CHECK(*parse_seconds("86400") == 24h);
  for (const std::string text : {"", "0", "-1", "0.05", "86401", "1e3", "inf", "nan", "30s", " 30", "+5"}) {
    CAPTURE(text);
    const auto seconds = parse_seconds(text);
    REQUIRE(!seconds.has_value());
    CHECK(seconds.error().detail == "\"" + text + "\" is no time; write seconds from 0.1 to 86400, as in 30 or 0.5");
  }
  check(parse_session_name, {{"alice-1_b.c", "alice-1_b.c"},
                             {"a b", "! \"a b\" is no session name; write 1 to 64 letters, digits, '-', '_' or '.'"},
                             {"", "! \"\" is no session name; write 1 to 64 letters, digits, '-', '_' or '.'"}});
  check(parse_variable_name,
        {{"ROARING_API_ROOT", "ROARING_API_ROOT"},
         {"1A", "! \"1A\" is no variable name; write letters, digits and '_', as in ROARING_API_ROOT"},
         {"A=b", "! \"A\" came with a value, which is always the base URL; write the name alone"}});
}
