#pragma once

#include <optional>
#include <string_view>

namespace tapedeck {

// Options by which other tools (curl, mitmproxy, VCR, WireMock and their like) are told what ours are told otherwise.
// The hint says what to write here; nullopt when the option is not known from elsewhere. `option` comes without a
// value.
std::optional<std::string_view> hint_for_foreign_option(std::string_view option);

}  // namespace tapedeck
