#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "config/load_options.hpp"
#include "config/result.hpp"
#include "proxy/cli/commands.hpp"

namespace tapedeck {

struct HelpCommand {
  std::string text;
};
struct VersionCommand {};

// What the program was asked to do. Options stands for record, replay and auto.
struct ParsedCommand {
  std::variant<Options, ListCommand, ShowCommand, TakesCommand, ScanCommand, CaCommand, EnvCommand, HelpCommand,
               VersionCommand>
      command;
  std::vector<std::string> warnings;  // to be logged
};

// `args` without the program's own name. Reads at most the config file; a failure is one line for standard error.
Result<ParsedCommand> parse_command_line(const std::vector<std::string>& args, const Environment& environment,
                                         const std::filesystem::path& cwd);

// The exit code when parsing fails: 125 when a command was to be wrapped (its codes are its own), else 2.
int usage_exit_code(const std::vector<std::string>& args);

}  // namespace tapedeck
