#include "proxy/tls/tls_names.hpp"

#include <arpa/inet.h>
#include <string>

namespace tapedeck {
namespace {

constexpr std::size_t name_bytes_max = 253;
constexpr std::size_t label_bytes_max = 63;

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > label_bytes_max || label.front() == '-' || label.back() == '-') return false;
  return label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

}  // namespace

bool is_ip_literal(std::string_view name) {
  if (name.size() >= INET6_ADDRSTRLEN || name.find('\0') != std::string_view::npos) return false;
  const std::string text(name);
  in6_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max || is_ip_literal(name)) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace tapedeck
