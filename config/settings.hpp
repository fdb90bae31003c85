#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/partial_options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// How a setting is given: one text, a text that may be repeated, or a switch.
enum class SettingShape { value, list, on_off };

// The settings that only someone who runs the program may make, not a config file that was found by search: such a file
// comes with whatever repository one stands in, and would send credentials elsewhere.
// Its secrets may only be names of variables, since it is a file that one checks in.
enum class SettingTrust {
  any,
  asked_for,
  local_only,    // an address, and then only of this machine
  by_reference,  // a secret, and then only as env:NAME
};

// One setting under its one name: `--connect-to`, TAPEDECK_CONNECT_TO and the key "connect-to" are all this row.
struct Setting {
  std::string_view name;
  SettingShape shape = SettingShape::value;
  SettingTrust trust = SettingTrust::any;
  // A path of a config file is relative to the file. A secret may hold what separates the items of other lists.
  enum class Kind { text, number, path, secret } kind = Kind::text;
  Result<void> (*set)(PartialOptions& into, std::string_view text) = nullptr;
};

std::span<const Setting> settings();
const Setting* find_setting(std::string_view name);
std::vector<std::string_view> setting_names();

std::string variable_name_of(const Setting& setting);  // TAPEDECK_CONNECT_TO

}  // namespace tapedeck
