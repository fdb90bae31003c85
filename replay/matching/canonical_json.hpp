#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tapedeck {

// One text for all JSON texts of the same value, or nullopt when `text` is not JSON. Members are ordered by key (equal
// keys are all kept, in their order), strings are escaped in one way, numbers are compared exactly. Members named in
// `ignored_keys` are left out at any depth.
std::optional<std::string> canonical_json(std::string_view text, std::span<const std::string> ignored_keys = {});

// One text for all spellings of the same decimal value: 1, 1.0 and 10e-1 are `1`, and -0 is `0`. Nothing is rounded. An
// exponent of more than 17 digits is no number that anything computes with; such a number keeps its spelling.
std::string canonical_json_number(std::string_view raw);

}  // namespace tapedeck
