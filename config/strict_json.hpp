#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "config/result.hpp"

namespace tapedeck {

// Reads JSON that a person wrote: the text is an object, and no object in it has a key twice. A failure names the file
// as `name_in_errors` and, where it can, the line.
Result<void> parse_strict_json(std::string_view text, std::string_view name_in_errors, nlohmann::json& into);

// Fails on a key of `object` that is not in `known`, with the nearest that is. `where` reads "profiles/x.json:
// matching[0]".
Result<void> check_keys(const nlohmann::json& object, std::span<const std::string_view> known,
                        const std::string& where);

}  // namespace tapedeck
