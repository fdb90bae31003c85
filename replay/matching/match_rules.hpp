#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/profile.hpp"
#include "storage/exchange/origin.hpp"

namespace tapedeck {

// What the rules leave out of the key of one request.
struct IgnoredKeys {
  std::vector<std::string> query;
  std::vector<std::string> form;
  std::vector<std::string> json;
};

// The rules of every profile that has `origin` among its hosts, narrowed by method and normalised path.
IgnoredKeys ignored_keys_for(std::span<const Profile> profiles, const Origin& origin, std::string_view method,
                             std::string_view path);

}  // namespace tapedeck
