#include "proxy/upstream/parent_proxy.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::string text_of(const std::optional<ParentProxy>& parent) {
  if (!parent) return "-";
  return parent->address() + (parent->authorization.empty() ? "" : " " + parent->authorization);
}

}  // namespace

TEST_CASE("the parent proxy is the one that the environment names") {
  struct Row {
    const char* name;
    Environment environment;
    const char* https;
    const char* http;
    std::size_t warnings;
  };
  const Row rows[] = {
      {"nothing", {}, "-", "-", 0},
      {"one each", {{"https_proxy", "http://a:1"}, {"http_proxy", "http://b:2"}}, "a:1", "b:2", 0},
      {"https alone", {{"https_proxy", "http://a:1"}}, "a:1", "-", 0},
      {"upper case", {{"HTTPS_PROXY", "http://a:1"}, {"HTTP_PROXY", "http://b:2"}}, "a:1", "b:2", 0},
      {"lower case wins", {{"HTTPS_PROXY", "http://a:1"}, {"https_proxy", "http://c:3"}}, "c:3", "-", 0},
      {"an empty one is none", {{"HTTPS_PROXY", "http://a:1"}, {"https_proxy", ""}}, "a:1", "-", 0},
      {"all", {{"all_proxy", "http://a:1"}}, "a:1", "a:1", 0},
      {"all in upper case", {{"ALL_PROXY", "http://a:1"}}, "a:1", "a:1", 0},
      {"all, and one", {{"all_proxy", "http://a:1"}, {"http_proxy", "http://b:2"}}, "a:1", "b:2", 0},
      {"no port", {{"https_proxy", "http://a"}}, "a:80", "-", 0},
      {"no scheme", {{"https_proxy", "a:3128"}}, "a:3128", "-", 0},
      {"a slash", {{"https_proxy", "HTTP://A:3128/"}}, "a:3128", "-", 0},
      {"IPv6", {{"https_proxy", "http://[::1]:3128"}}, "[::1]:3128", "-", 0},
      {"credentials", {{"https_proxy", "http://alice:s3cret@a:1"}}, "a:1 Basic YWxpY2U6czNjcmV0", "-", 0},
      {"percent-encoded", {{"https_proxy", "http://al%40x:a%3a%2F%25@a:1"}}, "a:1 Basic YWxAeDphOi8l", "-", 0},
      {"an at sign as it is", {{"https_proxy", "http://a:b@c@d:1"}}, "d:1 Basic YTpiQGM=", "-", 0},
      {"a user alone", {{"https_proxy", "http://alice@a:1"}}, "a:1 Basic YWxpY2U6", "-", 0},
      {"https://", {{"https_proxy", "https://u:secret@a:1"}}, "-", "-", 1},
      {"SOCKS for all is said once for each", {{"all_proxy", "socks5://u:secret@a:1"}}, "-", "-", 1},
      {"bad percent", {{"https_proxy", "http://u:secret%zz@a:1"}}, "-", "-", 1},
      {"cut percent", {{"https_proxy", "http://u:secret%4@a:1"}}, "-", "-", 1},
      {"a line feed", {{"https_proxy", "http://u:secret%0a@a:1"}}, "-", "-", 1},
      {"a colon in the user", {{"https_proxy", "http://u%3asecret:x@a:1"}}, "-", "-", 1},
      {"bad port", {{"https_proxy", "http://u:secret@a:99999"}}, "-", "-", 1},
      {"no host", {{"https_proxy", "http://u:secret@"}}, "-", "-", 1},
      {"a line feed in the host", {{"https_proxy", "http://secret\r\nb:1"}}, "-", "-", 1},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto read = read_parent_proxies(row.environment);
    CHECK(text_of(read.proxies.for_https) == row.https);
    CHECK(text_of(read.proxies.for_http) == row.http);
    CHECK(read.warnings.size() == row.warnings);
    for (const auto& warning : read.warnings) {
      CHECK(warning.find("_proxy") != std::string::npos);
      CHECK(warning.find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("which hosts no_proxy covers") {
  struct Row {
    const char* entries;
    const char* host;
    std::uint16_t port;
    bool covered;
  };
  const Row rows[] = {
      {"", "x.io", 443, false},
      {"*", "x.io", 443, true},
      {"x.io", "x.io", 443, true},
      {"X.IO", "x.io", 443, true},
      {"x.io", "api.x.io", 443, true},
      {"x.io", "apix.io", 443, false},
      {"x.io", "x.io.example", 443, false},
      {".x.io", "api.x.io", 443, true},
      {".x.io", "x.io", 443, true},
      {"*.x.io", "api.x.io", 443, true},
      {"a.io, x.io", "x.io", 443, true},
      {"a.io x.io", "x.io", 443, true},
      {"x.io:443", "x.io", 443, true},
      {"x.io:8443", "x.io", 443, false},
      {".x.io:443", "api.x.io", 443, true},
      {"10.0.0.1", "10.0.0.1", 80, true},
      {"10.0.0.1", "110.0.0.1", 80, false},
      {"10.0.0.1:81", "10.0.0.1", 80, false},
      {"10.0.0.0/8", "10.200.3.4", 80, true},
      {"10.0.0.0/8", "11.0.0.1", 80, false},
      {"10.0.0.0/8", "x.io", 80, false},
      {"10.0.0.0/99", "10.0.0.1", 80, false},
      {"fd00::/8", "fd12::1", 80, true},
      {"fd00::/8", "fe80::1", 80, false},
      {"::1", "::1", 80, true},
      {"[::1]", "::1", 80, true},
      {"[::1]:80", "::1", 80, true},
      {"[::1]:81", "::1", 80, false},
      {"..,,.", "x.io", 80, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.entries);
    CAPTURE(row.host);
    const auto read = read_parent_proxies({{"NO_PROXY", row.entries}});
    CHECK(is_excepted(read.proxies.exceptions, row.host, row.port) == row.covered);
  }
}

TEST_CASE("a parent that is this run is recognised") {
  using boost::asio::ip::make_address;
  const std::vector<boost::asio::ip::tcp::endpoint> own{{make_address("127.0.0.1"), 8484}};
  CHECK(is_this_run({"127.0.0.1", 8484, ""}, own));
  CHECK(is_this_run({"localhost", 8484, ""}, own));
  CHECK(is_this_run({"::ffff:127.0.0.1", 8484, ""}, own));
  CHECK_FALSE(is_this_run({"127.0.0.1", 8485, ""}, own));
  CHECK_FALSE(is_this_run({"192.0.2.1", 8484, ""}, own));
}

TEST_CASE("which origins go through the parent") {
  ParentProxies proxies;
  proxies.for_https = ParentProxy{"a", 1, ""};
  proxies.for_http = ParentProxy{"b", 2, ""};
  proxies.exceptions = {"near.io"};
  const auto parent = [&](const Origin& origin, const std::string& dialled) {
    const auto* found = parent_of(proxies, origin, {dialled, origin.port, true});
    return found ? found->host : "-";
  };
  CHECK(parent({"https", "x.io", 443}, "x.io") == "a");
  CHECK(parent({"http", "x.io", 80}, "x.io") == "b");
  CHECK(parent({"https", "near.io", 443}, "near.io") == "-");
  CHECK(parent({"https", "x.io", 443}, "127.0.0.1") == "-");
  CHECK(parent({"https", "x.io", 443}, "localhost") == "-");
  CHECK(parent({"https", "x.io", 443}, "10.0.0.1") == "a");
  CHECK(parent_of({}, {"https", "x.io", 443}, {"x.io", 443, true}) == nullptr);
}
