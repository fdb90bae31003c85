#pragma once

#include <string>
#include <string_view>

#include "config/load_options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// Variables as text that a shell or CI job reads back as they are: `sh` and `fish` (for eval), `dotenv` (a .env file),
// `github` (appended to $GITHUB_ENV) or `json`. Nothing in a value is ever expanded. What is no variable name is left
// out. Failure `unknown-format` names the formats.
Result<std::string> format_environment(const Environment& variables, std::string_view format);

}  // namespace tapedeck
