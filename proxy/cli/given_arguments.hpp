#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.hpp"
#include "proxy/cli/option_table.hpp"

namespace tapedeck {

// The words behind `tapedeck COMMAND`, sorted but not yet understood.
struct GivenArguments {
  std::map<std::string_view, std::vector<std::string>>
      options;                         // by name; a switch has "true" or what stood behind '='
  std::vector<std::string> arguments;  // what is no option
  std::vector<std::string> wrapped;    // behind "--"
  bool help = false;
};

// A failure never repeats the value of an option, since it can be a credential meant for another tool.
Result<GivenArguments> sort_arguments(Command command, const std::vector<std::string>& args);

}  // namespace tapedeck
