#include "proxy/upstream/parent_proxy.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <openssl/evp.h>

#include "config/text.hpp"
#include "proxy/http/authority.hpp"
#include "storage/exchange/headers.hpp"

namespace tapedeck {

namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t credentials_bytes_max = 4096;

struct Variable {
  std::string name;
  std::string value;
};

// The first of the names that is set and not empty, each in lower case and then in upper case.
std::optional<Variable> first_of(const Environment& environment, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    for (const auto& each : {std::string(name), upper}) {
      const auto found = environment.find(each);
      if (found != environment.end() && !found->second.empty()) return Variable{each, found->second};
    }
  }
  return std::nullopt;
}

// Nullopt for a `%` without two digits behind it, and for a byte that no credentials may have (RFC 7617 §2).
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      unsigned value = 0;
      const auto* digits = text.data() + i + 1;
      if (text.size() - i < 3 || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return std::nullopt;
      c = static_cast<char>(value);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

// `user_info` is like alice:s%20cret. Nullopt when it cannot be sent.
std::optional<std::string> basic_credentials(std::string_view user_info) {
  if (user_info.size() > credentials_bytes_max) return std::nullopt;
  const auto colon = std::min(user_info.find(':'), user_info.size());
  const auto user = percent_decoded(user_info.substr(0, colon));
  const auto password = percent_decoded(user_info.substr(std::min(colon + 1, user_info.size())));
  if (!user || !password || user->find(':') != std::string::npos) return std::nullopt;
  const auto plain = *user + ":" + *password;
  std::string coded((plain.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
  coded.resize(static_cast<std::size_t>(length));
  return "Basic " + coded;
}

// The value of a variable: [http://][USER[:PASSWORD]@]HOST[:PORT][/]. The failure names nothing of it.
Result<ParentProxy> parse_parent(std::string_view url) {
  const auto refuse = [](const char* why) { return Failure{"bad-parent-proxy", Blame::us, why}; };
  if (const auto scheme_end = url.find("://"); scheme_end != std::string_view::npos) {
    if (!equal_without_case(url.substr(0, scheme_end), "http")) return refuse("is no http:// proxy");
    url.remove_prefix(scheme_end + 3);
  }
  url = url.substr(0, url.find_first_of("/?#"));
  ParentProxy parent;
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    auto authorization = basic_credentials(url.substr(0, at));
    if (!authorization) return refuse("has a user name or password that cannot be read; percent-encode it");
    parent.authorization = std::move(*authorization);
    url.remove_prefix(at + 1);
  }
  const auto authority = parse_authority(url);
  if (!authority) return refuse("has no host and port that can be read");
  parent.host = authority->host;
  parent.port = authority->port.value_or(default_port("http"));
  return parent;
}

std::optional<ParentProxy> read_parent(const Environment& environment, std::initializer_list<std::string_view> names,
                                       std::vector<std::string>& warnings) {
  const auto variable = first_of(environment, names);
  if (!variable) return std::nullopt;
  auto parent = parse_parent(variable->value);
  if (parent) return *parent;
  auto warning = variable->name + " " + parent.error().detail + ", so upstreams are dialled without it; write " +
                 "http://HOST:PORT";
  if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(std::move(warning));
  return std::nullopt;
}

bool is_in_block(std::string_view host, const std::string& block) {
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(host), error);
  if (error) return false;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(block, error);
    return !error && ip::network_v4(address.to_v4(), network.prefix_length()).canonical() == network.canonical();
  }
  const auto network = ip::make_network_v6(block, error);
  return !error && ip::network_v6(address.to_v6(), network.prefix_length()).canonical() == network.canonical();
}

bool is_name_or_below(std::string_view host, std::string_view name) {
  if (name.empty() || !host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

bool covers(const std::string& entry, std::string_view host, std::uint16_t port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string::npos) return is_in_block(host, entry);
  std::string_view name = entry;
  name.remove_prefix(name.starts_with("*.") ? 2 : name.starts_with('.') ? 1 : 0);
  // IPv6 may stand without brackets here, where no port can follow it.
  const bool bare_v6 = std::count(name.begin(), name.end(), ':') > 1 && !name.starts_with('[');
  const auto authority = parse_authority(bare_v6 ? "[" + std::string(name) + "]" : std::string(name));
  if (!authority || (authority->port && *authority->port != port)) return false;
  return authority->ip_literal ? authority->host == host : is_name_or_below(host, authority->host);
}

}  // namespace

std::string ParentProxy::address() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

ParentProxiesRead read_parent_proxies(const Environment& environment) {
  ParentProxiesRead read;
  read.proxies.for_https = read_parent(environment, {"https_proxy", "all_proxy"}, read.warnings);
  read.proxies.for_http = read_parent(environment, {"http_proxy", "all_proxy"}, read.warnings);
  if (const auto list = first_of(environment, {"no_proxy"})) read.proxies.exceptions = no_proxy_entries(list->value);
  return read;
}

bool is_excepted(const std::vector<std::string>& exceptions, std::string_view host, std::uint16_t port) {
  return std::any_of(exceptions.begin(), exceptions.end(),
                     [&](const std::string& entry) { return covers(entry, host, port); });
}

bool is_this_run(const ParentProxy& parent, const std::vector<ip::tcp::endpoint>& own_listeners) {
  const bool same_port = std::any_of(own_listeners.begin(), own_listeners.end(),
                                     [&](const auto& listener) { return listener.port() == parent.port; });
  if (!same_port) return false;
  boost::asio::io_context context;
  boost::system::error_code error;
  const auto found = ip::tcp::resolver(context).resolve(parent.host, std::to_string(parent.port), error);
  return std::any_of(found.begin(), found.end(), [&](const auto& entry) {
    return dial_verdict(entry.endpoint(), true, own_listeners) == DialVerdict::own_listener;
  });
}

const ParentProxy* parent_of(const ParentProxies& proxies, const Origin& origin, const DialTarget& target) {
  const auto& parent = origin.scheme == "http" ? proxies.for_http : proxies.for_https;
  if (!parent || is_loopback_host(target.host)) return nullptr;
  return is_excepted(proxies.exceptions, origin.host, origin.port) ? nullptr : &*parent;
}

}  // namespace tapedeck
