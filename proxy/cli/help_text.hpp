#pragma once

#include <string>

#include "proxy/cli/option_table.hpp"

namespace tapedeck {

// What `tapedeck --help` and `tapedeck COMMAND --help` print, at most 100 columns wide.
std::string program_help();
std::string command_help(Command command);

}  // namespace tapedeck
