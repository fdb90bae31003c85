#include "proxy/runtime/proxy_exceptions.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "config/text.hpp"
#include "proxy/http/authority.hpp"

namespace tapedeck {
namespace {

constexpr std::array<std::string_view, 3> loopback_names{"localhost", "127.0.0.1", "::1"};

// Of `host:port`, `[::1]:port`, or either without the port. More colons than one are an address without brackets.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, std::min(text.find(']'), text.size()) - 1);
  const auto colon = text.find(':');
  return colon == text.rfind(':') ? text.substr(0, colon) : text;
}

// The bytes of an address, four or sixteen.
std::optional<std::string> address_bytes(std::string_view text) {
  const std::string host(text);
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 4);
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 16);
  return std::nullopt;
}

// `block` is like 10.0.0.0/8.
bool is_in_block(std::string_view host, std::string_view block) {
  const auto slash = block.find('/');
  const auto first = address_bytes(block.substr(0, slash));
  const auto address = address_bytes(host);
  if (!first || !address || first->size() != address->size()) return false;
  const auto digits = block.substr(slash + 1);
  std::size_t bits = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (read.ec != std::errc() || bits > 8 * first->size()) return false;
  const auto whole = bits / 8;
  if (first->compare(0, whole, *address, 0, whole) != 0) return false;
  const auto differing = whole < first->size() ? (*first)[whole] ^ (*address)[whole] : 0;
  return (differing & (0xff00 >> (bits % 8)) & 0xff) == 0;
}

// Clients do not agree on what an entry covers, so this is the widest reading: a name stands for itself and for all
// that end in it, at a label or not, whatever the port.
bool leads_past(std::string_view entry, std::string_view glob) {
  const bool is_block = entry.find('/') != std::string_view::npos;
  auto name = is_block ? entry : without_port(entry);
  name.remove_prefix(std::min(name.find_first_not_of("*."), name.size()));
  auto host = without_port(glob);
  if (name.empty() || host == "*") return true;
  if (is_block) return is_in_block(host, name);
  if (!host.starts_with("*.")) return host.ends_with(name);
  host.remove_prefix(1);
  return name.ends_with(host) || host.ends_with(name);
}

bool is_loopback_entry(std::string_view entry) {
  auto name = without_port(entry);
  name = name.substr(0, name.find('/'));
  name.remove_prefix(std::min(name.find_first_not_of("*."), name.size()));
  return is_loopback_host(name);
}

}  // namespace

std::string proxy_exceptions(std::string_view parent, const std::vector<std::string>& intercepted,
                             bool proxy_localhost) {
  auto entries = no_proxy_entries(parent);
  std::erase_if(entries, [&](const std::string& entry) {
    const auto leads_past_to = [&](std::string_view glob) { return leads_past(entry, glob); };
    // An entry for every host would leave nothing to the proxy, not even the hosts that a summary tells of.
    if (entry == "*" || std::any_of(intercepted.begin(), intercepted.end(), leads_past_to)) return true;
    return proxy_localhost &&
           (is_loopback_entry(entry) || std::any_of(loopback_names.begin(), loopback_names.end(), leads_past_to));
  });
  if (!proxy_localhost) entries.insert(entries.end(), loopback_names.begin(), loopback_names.end());
  std::string list;
  std::set<std::string_view> seen;
  for (const auto& entry : entries) {
    if (seen.insert(entry).second) list.append(list.empty() ? "" : ",").append(entry);
  }
  return list;
}

}  // namespace tapedeck
