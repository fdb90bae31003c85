#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// The commands and options as a person sees them. What an option means is a row of config/settings.hpp; here stand its
// letter, its help and the commands that take it.

enum class Command : std::uint8_t { record, replay, auto_, list, show, takes, scan, ca, env };

struct CommandRow {
  Command command = Command::record;
  std::string_view name;
  std::string_view arguments;  // behind the options
  std::string_view summary;    // one line
  std::string_view example;    // lines
};
std::span<const CommandRow> commands();
const CommandRow* find_command(std::string_view name);
const CommandRow& row_of(Command command);
std::vector<std::string_view> command_names();
bool runs_proxy(Command command);  // record, replay and auto

using CommandSet = std::uint16_t;
constexpr CommandSet set_of(Command command) {
  return static_cast<CommandSet>(1U << static_cast<unsigned>(command));
}

struct OptionRow {
  std::string_view name;
  char letter = 0;
  std::string_view value;  // what stands for its value in the help; empty: a switch
  CommandSet taken_by = 0;
  std::string_view group;
  std::string_view help;
  CommandSet unlisted_in = 0;  // taken, so that one set of options serves all runs, but without effect: not in the help
};
std::span<const OptionRow> options();
const OptionRow* find_option(std::string_view name, Command command);

// The commands that take an option of this name, none when there is no such option.
std::vector<std::string_view> takers_of(std::string_view name);

}  // namespace tapedeck
