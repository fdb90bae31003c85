#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <poll.h>
#include <unistd.h>

#include "proxy/cli/columns.hpp"
#include "proxy/cli/command_line.hpp"
#include "proxy/runtime/child_process.hpp"
#include "proxy/runtime/log.hpp"
#include "proxy/runtime/proxy_run.hpp"
#include "storage/cassette/environment.hpp"

namespace {

using namespace tapedeck;

// Does what was asked; each overload is one command. Returns the exit code.
struct Execute {
  const Environment& environment;
  const std::vector<std::string>& warnings;

  int operator()(const Options& options) const {
    Log log(options.log_json, options.verbosity);
    for (const auto& warning : warnings) log.warning(warning);
    return run_proxy(options, environment, log);
  }
  int operator()(ListCommand command) const {
    command.columns = terminal_columns(STDOUT_FILENO);
    return list_exchanges(command, std::cout, std::cerr);
  }
  int operator()(const ShowCommand& command) const { return show_exchange(command, std::cout, std::cerr); }
  int operator()(const TakesCommand& command) const { return list_or_drop_takes(command, std::cout, std::cerr); }
  int operator()(const ScanCommand& command) const { return scan_for_secrets(command, std::cout, std::cerr); }
  int operator()(const CaCommand& command) const { return make_or_show_ca(command, std::cout, std::cerr); }
  int operator()(const EnvCommand& command) const {
    return print_environment(command, environment, std::cout, std::cerr);
  }
  int operator()(const HelpCommand& command) const {
    std::cout << command.text;
    return 0;
  }
  int operator()(const VersionCommand&) const {
    std::cout << "tapedeck " << compiled_tool_version() << "\n";
    return 0;
  }
};

bool reader_left() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

// What could not be written whole would be taken for the whole. A reader that wanted no more, as `head` does, knows.
bool wrote_output() {
  if (std::cout.flush()) return true;
  if (!reader_left()) say_failure(std::cerr, "the output cannot be written; is the disk full?");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  // A peer or a reader of ours that went away is an error of one write, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not grow any more: the cassette's writer says it like any full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    const auto environment = current_environment();
    const auto parsed = parse_command_line(args, environment, std::filesystem::current_path());
    if (!parsed) {
      say_failure(std::cerr, parsed.error().detail);
      return usage_exit_code(args);
    }
    const int code = std::visit(Execute{environment, parsed->warnings}, parsed->command);
    return code == 0 && !wrote_output() ? 1 : code;
  } catch (const std::exception& error) {
    say_failure(std::cerr, std::string("internal error: ") + error.what());
    return 125;
  }
}
