#include "proxy/runtime/wrapped_environment.hpp"

#include <string_view>

#include "proxy/runtime/proxy_exceptions.hpp"
#include "proxy/tls/settings_files.hpp"

namespace tapedeck {
namespace {

// Set in lower and upper case: which of them a client reads differs, and so does which it prefers.
constexpr std::string_view proxy_names[] = {"http_proxy", "https_proxy", "all_proxy"};

// Read by clients with a trust list of their own, each of which takes the file instead of the system's roots.
constexpr std::string_view bundle_names[] = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
                                             "PIP_CERT",      "GIT_SSL_CAINFO",     "CARGO_HTTP_CAINFO",
                                             "AWS_CA_BUNDLE", "DENO_CERT",          "PERL_LWP_SSL_CA_FILE"};

// A parent's way out that some client prefers to the common names; in lower and upper case alike.
constexpr std::string_view dropped_names[] = {"ftp_proxy",
                                              "ws_proxy",
                                              "wss_proxy",
                                              "socks_proxy",
                                              "npm_config_proxy",
                                              "pip_proxy",
                                              "yarn_http_proxy",
                                              "yarn_https_proxy",
                                              "npm_config_http_proxy",
                                              "npm_config_https_proxy",
                                              "cargo_http_proxy",
                                              "npm_config_noproxy",
                                              "global_agent_http_proxy",
                                              "global_agent_https_proxy"};

// Told by us anew, or not at all.
constexpr std::string_view told_names[] = {"TAPEDECK_PROXY_URL", "TAPEDECK_BASE_URL", "TAPEDECK_CA_FILE",
                                           "TAPEDECK_ADMIN_URL", "TAPEDECK_RECORDED_AT"};

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

void set_both_cases(Environment& environment, std::string_view name, const std::string& value) {
  environment[std::string(name)] = value;
  environment[upper(name)] = value;
}

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

struct HostAndPort {
  std::string host;
  std::string port;
};

// Of a URL of our own making: http://[user:x@]host:port
HostAndPort host_and_port(std::string_view url) {
  url.remove_prefix(url.find("//") + 2);
  if (const auto at = url.find('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  const std::size_t colon = url.rfind(':');
  std::string_view host = url.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {std::string(host), std::string(url.substr(colon + 1))};
}

// Later options win over earlier ones in the JVM, so ours come last.
std::string java_options(const std::string& existing, const ProxyAddresses& addresses, bool proxy_localhost) {
  const auto [host, port] = host_and_port(addresses.proxy_url);
  std::string ours;
  for (const char* scheme : {"http", "https"}) {
    ours += std::string("-D") + scheme + ".proxyHost=" + host + " -D" + scheme + ".proxyPort=" + port + " ";
  }
  // An empty list stands for none; without the property the JVM has a list of its own.
  ours += std::string("-Dhttp.nonProxyHosts=") + (proxy_localhost ? "" : "localhost|127.0.0.1|[::1]");
  ours += " -Djavax.net.ssl.trustStore=" + addresses.java_trust_store.string() +
          " -Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.trustStoreType=JKS";
  if (existing.empty()) return ours;
  if (existing.find(ours) != std::string::npos) return existing;
  return existing + " " + ours;
}

// PHP scans the folders of a list in turn, and an empty one stands for its own.
std::string php_folders(const Environment& parent, const std::string& ours) {
  const auto had = parent.find("PHP_INI_SCAN_DIR");
  if (had == parent.end()) return ":" + ours;
  if (had->second.empty()) return ours;  // It was to scan none.
  const bool there = (":" + had->second + ":").find(":" + ours + ":") != std::string::npos;
  return there ? had->second : had->second + ":" + ours;
}

// Of clients whose trust is named in a file of settings alone.
void set_settings_files(Environment& set, const Environment& parent, const std::filesystem::path& bundle_file) {
  const SettingsFiles files = settings_files_of(bundle_file);
  if (!files.php_folder.empty()) set["PHP_INI_SCAN_DIR"] = php_folders(parent, files.php_folder.string());
  // A user's own wgetrc is read after the system's. There is one of the system's, and who replaced it keeps theirs.
  const bool replaced = !value_of(parent, "SYSTEM_WGETRC").empty();
  if (!replaced && !files.wgetrc.empty()) set["SYSTEM_WGETRC"] = files.wgetrc.string();
}

}  // namespace

Environment proxy_variables(const Environment& parent, const ProxyAddresses& addresses, const Options& options) {
  Environment set;
  for (const auto name : proxy_names) set_both_cases(set, name, addresses.proxy_url);
  // Empty rather than unset: it also undoes what the shell has that `tapedeck env` is read into.
  set_both_cases(set, "no_proxy",
                 proxy_exceptions(value_of(parent, "no_proxy") + "," + value_of(parent, "NO_PROXY"),
                                  addresses.intercepted, options.proxy_localhost));

  for (const auto name : bundle_names) set[std::string(name)] = addresses.bundle_file.string();
  // Node adds the file to its own roots, so ours alone will do, unless there was one: the bundle has that in it.
  set["NODE_EXTRA_CA_CERTS"] =
      (value_of(parent, "NODE_EXTRA_CA_CERTS").empty() ? addresses.ca_file : addresses.bundle_file).string();
  set["NODE_USE_ENV_PROXY"] = "1";
  set_settings_files(set, parent, addresses.bundle_file);
  if (!addresses.java_trust_store.empty()) {
    set["JAVA_TOOL_OPTIONS"] = java_options(value_of(parent, "JAVA_TOOL_OPTIONS"), addresses, options.proxy_localhost);
  }

  set["TAPEDECK_PROXY_URL"] = addresses.proxy_url;
  set["TAPEDECK_BASE_URL"] = addresses.base_url;
  set["TAPEDECK_CA_FILE"] = addresses.ca_file.string();
  if (!addresses.admin_url.empty()) set["TAPEDECK_ADMIN_URL"] = addresses.admin_url;
  if (!addresses.recorded_at.empty()) set["TAPEDECK_RECORDED_AT"] = addresses.recorded_at;
  for (const std::string& name : options.set_env) set[name] = addresses.base_url;
  return set;
}

Environment wrapped_environment(const Environment& parent, const ProxyAddresses& addresses, const Options& options) {
  Environment environment = proxy_variables(parent, addresses, options);
  Environment kept = parent;
  for (const auto name : dropped_names) {
    kept.erase(std::string(name));
    kept.erase(upper(name));
  }
  for (const auto name : told_names) kept.erase(std::string(name));
  environment.merge(kept);
  return environment;
}

}  // namespace tapedeck
