#include "proxy/runtime/wrapped_environment.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

ProxyAddresses addresses() {
  ProxyAddresses known;
  known.proxy_url = "http://127.0.0.1:40001";
  known.base_url = "http://127.0.0.1:40001";
  known.admin_url = "http://127.0.0.1:40002";
  known.ca_file = "/ca/ca.pem";
  known.bundle_file = "/ca/bundle.pem";
  known.java_trust_store = "/ca/truststore.jks";
  known.intercepted = {"api.roaring.io"};
  return known;
}

constexpr const char* java_part =
    "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=40001 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=40001 "
    "-Dhttp.nonProxyHosts=localhost|127.0.0.1|[::1] -Djavax.net.ssl.trustStore=/ca/truststore.jks "
    "-Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.trustStoreType=JKS";

const std::string unset = "(unset)";

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? unset : found->second;
}

}  // namespace

TEST_CASE("a wrapped command gets what the contract says, variable by variable") {
  const Environment environment = wrapped_environment({{"PATH", "/bin"}, {"HOME", "/root"}}, addresses(), Options());
  const Environment expected = {
      {"PATH", "/bin"},
      {"HOME", "/root"},
      {"http_proxy", "http://127.0.0.1:40001"},
      {"HTTP_PROXY", "http://127.0.0.1:40001"},
      {"https_proxy", "http://127.0.0.1:40001"},
      {"HTTPS_PROXY", "http://127.0.0.1:40001"},
      {"all_proxy", "http://127.0.0.1:40001"},
      {"ALL_PROXY", "http://127.0.0.1:40001"},
      {"no_proxy", "localhost,127.0.0.1,::1"},
      {"NO_PROXY", "localhost,127.0.0.1,::1"},
      {"SSL_CERT_FILE", "/ca/bundle.pem"},
      {"REQUESTS_CA_BUNDLE", "/ca/bundle.pem"},
      {"CURL_CA_BUNDLE", "/ca/bundle.pem"},
      {"PIP_CERT", "/ca/bundle.pem"},
      {"GIT_SSL_CAINFO", "/ca/bundle.pem"},
      {"CARGO_HTTP_CAINFO", "/ca/bundle.pem"},
      {"AWS_CA_BUNDLE", "/ca/bundle.pem"},
      {"DENO_CERT", "/ca/bundle.pem"},
      {"PERL_LWP_SSL_CA_FILE", "/ca/bundle.pem"},
      {"NODE_EXTRA_CA_CERTS", "/ca/ca.pem"},
      {"NODE_USE_ENV_PROXY", "1"},
      {"PHP_INI_SCAN_DIR", ":/ca/php"},
      {"SYSTEM_WGETRC", "/ca/wgetrc"},
      {"JAVA_TOOL_OPTIONS", java_part},
      {"TAPEDECK_PROXY_URL", "http://127.0.0.1:40001"},
      {"TAPEDECK_BASE_URL", "http://127.0.0.1:40001"},
      {"TAPEDECK_CA_FILE", "/ca/ca.pem"},
      {"TAPEDECK_ADMIN_URL", "http://127.0.0.1:40002"},
  };
  CHECK(environment == expected);
}

TEST_CASE("what the parent had, and what becomes of it") {
  struct Row {
    const char* name;
    Environment parent;
    std::string variable;
    std::string value;
  };
  const Row rows[] = {
      {"a parent proxy is not handed down",
       {{"HTTPS_PROXY", "http://user:pw@corp:3128"}},
       "HTTPS_PROXY",
       "http://127.0.0.1:40001"},
      {"nor are exceptions for what is intercepted",
       {{"no_proxy", "api.roaring.io"}, {"NO_PROXY", ".roaring.io"}},
       "no_proxy",
       "localhost,127.0.0.1,::1"},
      {"other exceptions are kept",
       {{"no_proxy", "a.example,api.roaring.io"}, {"NO_PROXY", "b.example,a.example"}},
       "no_proxy",
       "a.example,b.example,localhost,127.0.0.1,::1"},
      {"in both cases alike", {{"no_proxy", "a.example"}}, "NO_PROXY", "a.example,localhost,127.0.0.1,::1"},
      {"nor ways out that few clients know",
       {{"npm_config_https_proxy", "http://corp:3128"}},
       "npm_config_https_proxy",
       unset},
      {"in upper case alike", {{"FTP_PROXY", "http://corp:3128"}}, "FTP_PROXY", unset},
      {"what only sounds like one stays", {{"REVERSE_PROXY", "yes"}}, "REVERSE_PROXY", "yes"},
      {"Node's options stay as they are",
       {{"NODE_OPTIONS", "--max-old-space-size=4096"}},
       "NODE_OPTIONS",
       "--max-old-space-size=4096"},
      {"Node's extra certificates are in the bundle",
       {{"NODE_EXTRA_CA_CERTS", "/corp.pem"}},
       "NODE_EXTRA_CA_CERTS",
       "/ca/bundle.pem"},
      {"PHP's folders are added to", {{"PHP_INI_SCAN_DIR", "/a:/b"}}, "PHP_INI_SCAN_DIR", "/a:/b:/ca/php"},
      {"but ours once only", {{"PHP_INI_SCAN_DIR", "/ca/php:/b"}}, "PHP_INI_SCAN_DIR", "/ca/php:/b"},
      {"none of PHP's own stays none", {{"PHP_INI_SCAN_DIR", ""}}, "PHP_INI_SCAN_DIR", "/ca/php"},
      {"a replaced wgetrc of the system stays", {{"SYSTEM_WGETRC", "/w"}}, "SYSTEM_WGETRC", "/w"},
      {"Java's options are added to",
       {{"JAVA_TOOL_OPTIONS", "-Xmx1g"}},
       "JAVA_TOOL_OPTIONS",
       std::string("-Xmx1g ") + java_part},
      {"but once only",
       {{"JAVA_TOOL_OPTIONS", std::string("-Xmx1g ") + java_part}},
       "JAVA_TOOL_OPTIONS",
       std::string("-Xmx1g ") + java_part},
      {"an outer replay's date is not ours", {{"TAPEDECK_RECORDED_AT", "2020-01-01"}}, "TAPEDECK_RECORDED_AT", unset},
      {"options for a tapedeck within stay", {{"TAPEDECK_CASSETTE", "x.cassette"}}, "TAPEDECK_CASSETTE", "x.cassette"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(value_of(wrapped_environment(row.parent, addresses(), Options()), row.variable) == row.value);
  }
}

TEST_CASE("--proxy-localhost leaves no exception for loopback, whatever the parent had") {
  Options options;
  options.proxy_localhost = true;
  Environment environment = wrapped_environment({{"NO_PROXY", "a.example,localhost"}}, addresses(), options);
  CHECK(value_of(environment, "no_proxy") == "a.example");
  CHECK(value_of(environment, "NO_PROXY") == "a.example");
  environment = wrapped_environment({{"NO_PROXY", "localhost"}}, addresses(), options);
  CHECK(value_of(environment, "no_proxy") == "");
  CHECK(value_of(environment, "NO_PROXY") == "");
  CHECK(value_of(environment, "JAVA_TOOL_OPTIONS").find("-Dhttp.nonProxyHosts= ") != std::string::npos);
}

TEST_CASE("--set-env puts the base URL where clients that ignore proxies look") {
  Options options;
  options.set_env = {"ROARING_URL", "OTHER_URL"};
  const Environment environment =
      wrapped_environment({{"ROARING_URL", "https://api.roaring.io"}}, addresses(), options);
  CHECK(value_of(environment, "ROARING_URL") == "http://127.0.0.1:40001");
  CHECK(value_of(environment, "OTHER_URL") == "http://127.0.0.1:40001");
}

TEST_CASE("what there is not is not told") {
  ProxyAddresses known = addresses();
  known.admin_url.clear();
  known.java_trust_store.clear();
  const Environment parent = {{"TAPEDECK_ADMIN_URL", "outer"}, {"JAVA_TOOL_OPTIONS", "-Xmx1g"}};
  Environment environment = wrapped_environment(parent, known, Options());
  CHECK(value_of(environment, "TAPEDECK_ADMIN_URL") == unset);
  CHECK(value_of(environment, "JAVA_TOOL_OPTIONS") == "-Xmx1g");

  known.recorded_at = "2026-01-02T03:04:05Z";
  environment = wrapped_environment(parent, known, Options());
  CHECK(value_of(environment, "TAPEDECK_RECORDED_AT") == "2026-01-02T03:04:05Z");
}

TEST_CASE("Java is told host and port of any proxy URL that we make") {
  struct Row {
    const char* url;
    const char* host;
  };
  for (const Row& row : {Row{"http://alice:x@127.0.0.1:40001", "127.0.0.1"}, Row{"http://[::1]:40001", "::1"}}) {
    CAPTURE(row.url);
    ProxyAddresses known = addresses();
    known.proxy_url = row.url;
    const std::string java = value_of(wrapped_environment({}, known, Options()), "JAVA_TOOL_OPTIONS");
    CHECK(java.starts_with("-Dhttp.proxyHost=" + std::string(row.host) + " -Dhttp.proxyPort=40001 "));
  }
}
