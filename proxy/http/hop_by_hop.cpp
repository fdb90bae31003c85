#include "proxy/http/hop_by_hop.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace tapedeck {

namespace {

constexpr std::array<std::string_view, 9> always = {
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate",        "proxy-authorization",
    "te",         "upgrade",    "http2-settings",   "proxy-authentication-info",
};

constexpr std::array<std::string_view, 20> end_to_end = {
    "host",
    "content-length",
    "transfer-encoding",
    "content-type",
    "content-encoding",
    "content-range",
    "content-location",
    "trailer",
    "authorization",
    "cookie",
    "set-cookie",
    "cache-control",
    "date",
    "etag",
    "expect",
    "location",
    "range",
    "vary",
    "accept",
    "accept-encoding",
};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view other) {
    return other.size() == name.size() && equal_without_case(other, name);
  });
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

}  // namespace

HopByHop::HopByHop(const Headers& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!equal_without_case(headers[i].name, "connection")) continue;
    auto list = headers[i].value;
    while (!list.empty()) {
      const auto comma = std::min(list.find(','), list.size());
      auto option = list.substr(0, comma);
      list.remove_prefix(std::min(comma + 1, list.size()));
      option.remove_prefix(std::min(option.find_first_not_of(" \t"), option.size()));
      option = option.substr(0, option.find_last_not_of(" \t") + 1);
      if (!option.empty() && !is_one_of(end_to_end, option)) named_.push_back(lower_case(option));
    }
  }
  std::sort(named_.begin(), named_.end());
}

bool HopByHop::contains(std::string_view name) const {
  if (is_one_of(always, name)) return true;
  return !named_.empty() && std::binary_search(named_.begin(), named_.end(), lower_case(name));
}

}  // namespace tapedeck
