#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load_options.hpp"
#include "config/options.hpp"

namespace tapedeck {

// The commands that do not run a proxy: what each was told, and the function that does it. They write answers to `out`
// and, on failure, one line to `err`, and return the exit code of the contract (0 fine, 1 the work failed).

struct ListCommand {
  std::filesystem::path cassette;
  std::optional<std::int64_t> take;
  bool json = false;
  std::size_t columns = 0;  // of the terminal; 0: no limit
};
int list_exchanges(const ListCommand& command, std::ostream& out, std::ostream& err);

struct ShowCommand {
  std::filesystem::path cassette;
  std::int64_t id = 0;
  bool raw = false;
};
int show_exchange(const ShowCommand& command, std::ostream& out, std::ostream& err);

struct TakesCommand {
  std::filesystem::path cassette;
  bool drop_last = false;
  bool json = false;
};
int list_or_drop_takes(const TakesCommand& command, std::ostream& out, std::ostream& err);

struct ScanCommand {
  std::filesystem::path cassette;
  std::vector<LiteralSecret> secrets;
  bool json = false;
};
// Exit code 5 when something looks like a secret.
int scan_for_secrets(const ScanCommand& command, std::ostream& out, std::ostream& err);

struct CaCommand {
  enum class Action { create, show, path };
  Action action = Action::show;
  std::filesystem::path dir;
  std::vector<std::string> only;  // names, as CertificateAuthority takes them
  bool force = false;             // create: even when there is one
};
int make_or_show_ca(const CaCommand& command, std::ostream& out, std::ostream& err);

struct EnvCommand {
  std::filesystem::path ready_file;
  std::string format = "sh";
  Options options;  // set_env and proxy_localhost count
};
int print_environment(const EnvCommand& command, const Environment& parent, std::ostream& out, std::ostream& err);

// The one line of a failure, as every command writes it.
void say_failure(std::ostream& err, std::string_view detail);

}  // namespace tapedeck
