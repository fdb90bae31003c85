#pragma once

#include <span>
#include <string_view>

namespace tapedeck {

// A profile as it stands in config/profiles, compiled into the program.
struct EmbeddedProfile {
  std::string_view name;
  std::string_view json;
};

std::span<const EmbeddedProfile> embedded_profiles();

}  // namespace tapedeck
