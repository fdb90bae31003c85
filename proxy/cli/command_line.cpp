#include "proxy/cli/command_line.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

#include "config/parse_values.hpp"
#include "config/settings.hpp"
#include "config/text.hpp"
#include "proxy/cli/foreign_options.hpp"
#include "proxy/cli/given_arguments.hpp"
#include "proxy/cli/help_text.hpp"

namespace tapedeck {

namespace {

Failure usage(std::string detail) {
  return {"usage", Blame::us, std::move(detail)};
}

Result<PartialOptions> options_from_command_line(const GivenArguments& given) {
  PartialOptions out;
  for (const Setting& setting : settings()) {
    const auto found = given.options.find(setting.name);
    if (found == given.options.end()) continue;
    for (const std::string& text : found->second) {
      const auto set = setting.set(out, text);
      if (!set) return usage("--" + std::string(setting.name) + ": " + set.error().detail);
    }
  }
  return out;
}

// The value of an option that no setting has, the last one when it was repeated.
std::optional<std::string> value_of(const GivenArguments& given, std::string_view name) {
  const auto found = given.options.find(name);
  if (found == given.options.end()) return std::nullopt;
  return found->second.back();
}

std::filesystem::path cassette_of(const PartialOptions& options) {
  return options.cassette.value_or(Options{}.cassette);
}

Result<void> refuse_arguments(const CommandRow& row, const GivenArguments& given) {
  if (given.arguments.empty()) return {};
  // What stands behind a secret may be its second half, when it has a space and no quotes.
  const bool repeatable = given.options.count("secret") == 0;
  const std::string start = "tapedeck " + std::string(row.name) + " takes no argument" +
                            (repeatable ? " " + in_quotes(given.arguments[0]) : " behind its options");
  if (runs_proxy(row.command)) {
    return usage(start + "; write -- before the command to wrap: tapedeck " + std::string(row.name) +
                 " [options] -- COMMAND");
  }
  return usage(start + "; see tapedeck " + std::string(row.name) + " --help");
}

Result<Options> run_options(Command command, const GivenArguments& given, const PartialOptions& options,
                            const Environment& environment) {
  if (auto refused = refuse_arguments(row_of(command), given); !refused) return refused.error();
  if (given.wrapped.empty()) {
    for (const std::string_view name : {"set-env", "proxy-localhost"}) {
      if (given.options.count(name) == 0) continue;
      return usage("--" + std::string(name) + " is for a wrapped command; write -- COMMAND behind the options");
    }
  }
  const Mode mode = command == Command::record ? Mode::record : command == Command::replay ? Mode::replay : Mode::auto_;
  auto finished = finish_options(mode, given.wrapped, options, environment);
  if (!finished) return usage(finished.error().detail);
  // Replay dials nobody, so that a bundle which only the recording machine has is no hindrance.
  if (mode != Mode::replay && finished->upstream_ca && ::access(finished->upstream_ca->c_str(), R_OK) != 0) {
    return usage("--upstream-ca " + in_quotes(finished->upstream_ca->string()) +
                 " cannot be read; name a PEM file that can");
  }
  return finished;
}

Result<ListCommand> list_command(const GivenArguments& given, const PartialOptions& options) {
  if (auto refused = refuse_arguments(row_of(Command::list), given); !refused) return refused.error();
  ListCommand out;
  out.cassette = cassette_of(options);
  out.json = given.options.count("json") > 0;
  if (const auto take = value_of(given, "take")) {
    const auto ordinal = parse_number(*take, 1, INT64_MAX);
    if (!ordinal) return usage("--take: " + ordinal.error().detail);
    out.take = *ordinal;
  }
  return out;
}

Result<ShowCommand> show_command(const GivenArguments& given, const PartialOptions& options) {
  static const std::string mend = "; tapedeck list prints the IDs";
  ShowCommand out;
  out.cassette = cassette_of(options);
  out.raw = given.options.count("raw") > 0;
  if (given.arguments.empty()) return usage("tapedeck show needs the ID of an exchange" + mend);
  if (given.arguments.size() > 1) return usage("tapedeck show takes one ID, not several" + mend);
  const auto id = parse_number(given.arguments[0], 1, INT64_MAX);
  if (!id) return usage(in_quotes(given.arguments[0]) + " is no ID of an exchange" + mend);
  out.id = *id;
  return out;
}

Result<TakesCommand> takes_command(const GivenArguments& given, const PartialOptions& options) {
  TakesCommand out;
  out.cassette = cassette_of(options);
  out.json = given.options.count("json") > 0;
  out.drop_last = given.arguments == std::vector<std::string>{"drop", "last"};
  if (!given.arguments.empty() && !out.drop_last) {
    return usage("tapedeck takes does not know " + in_quotes(given.arguments[0]) +
                 "; write tapedeck takes, or tapedeck takes drop last");
  }
  return out;
}

Result<ScanCommand> scan_command(const GivenArguments& given, const PartialOptions& options,
                                 const Environment& environment) {
  static constexpr std::array<std::string_view, 2> formats{"text", "json"};
  if (auto refused = refuse_arguments(row_of(Command::scan), given); !refused) return refused.error();
  ScanCommand out;
  out.cassette = cassette_of(options);
  const std::string format = value_of(given, "format").value_or("text");
  if (std::find(formats.begin(), formats.end(), format) == formats.end()) {
    return usage("--format " + in_quotes(format) + " is none of " + joined_list(formats) + "; choose one of them");
  }
  out.json = format == "json";
  auto secrets = resolve_secrets(options, environment);
  if (!secrets) return usage(secrets.error().detail);
  out.secrets = std::move(*secrets);
  return out;
}

Result<CaCommand> ca_command(const GivenArguments& given, const PartialOptions& options,
                             const Environment& environment) {
  static constexpr std::array<std::string_view, 3> actions{"create", "show", "path"};
  CaCommand out;
  if (given.arguments.size() != 1)
    return usage("tapedeck ca needs one of create, show and path; as in tapedeck ca show");
  const auto found = std::find(actions.begin(), actions.end(), given.arguments[0]);
  if (found == actions.end()) {
    return usage("tapedeck ca does not know " + in_quotes(given.arguments[0]) + "; write create, show or path");
  }
  out.action = static_cast<CaCommand::Action>(found - actions.begin());
  for (const std::string_view name : {"only", "force"}) {
    if (given.options.count(name) == 0 || out.action == CaCommand::Action::create) continue;
    return usage("--" + std::string(name) + " belongs to tapedeck ca create; leave it out");
  }
  if (const auto only = given.options.find("only"); only != given.options.end()) out.only = only->second;
  out.force = given.options.count("force") > 0;
  auto dir = options.ca_dir ? Result<std::filesystem::path>(*options.ca_dir) : default_ca_dir(environment);
  if (!dir) return usage(dir.error().detail);
  out.dir = std::move(*dir);
  return out;
}

Result<EnvCommand> env_command(const GivenArguments& given, const PartialOptions& options) {
  static constexpr std::array<std::string_view, 5> formats{"sh", "fish", "dotenv", "github", "json"};
  if (auto refused = refuse_arguments(row_of(Command::env), given); !refused) return refused.error();
  EnvCommand out;
  if (!options.ready_file) {
    return usage("tapedeck env needs --ready-file FILE, the one that the running tapedeck was told to write");
  }
  out.ready_file = *options.ready_file;
  out.format = value_of(given, "format").value_or("sh");
  if (std::find(formats.begin(), formats.end(), out.format) == formats.end()) {
    return usage("--format " + in_quotes(out.format) + " is none of " + joined_list(formats) + "; choose one of them");
  }
  out.options.set_env = options.set_env.value_or(std::vector<std::string>{});
  out.options.proxy_localhost = options.proxy_localhost.value_or(false);
  return out;
}

// Moves a typed command into the variant, or its failure out.
template <class T>
Result<ParsedCommand> parsed(Result<T> command, std::vector<std::string> warnings) {
  if (!command) return command.error();
  return ParsedCommand{std::move(*command), std::move(warnings)};
}

Result<ParsedCommand> parse_arguments(Command command, const GivenArguments& given, const Environment& environment,
                                      const std::filesystem::path& cwd) {
  auto own = options_from_command_line(given);
  if (!own) return own.error();
  auto all = load_partial_options(std::move(*own), environment, cwd);
  if (!all) return all.error();
  switch (command) {
    case Command::record:
    case Command::replay:
    case Command::auto_:
      return parsed(run_options(command, given, all->options, environment), all->warnings);
    case Command::list:
      return parsed(list_command(given, all->options), all->warnings);
    case Command::show:
      return parsed(show_command(given, all->options), all->warnings);
    case Command::takes:
      return parsed(takes_command(given, all->options), all->warnings);
    case Command::scan:
      return parsed(scan_command(given, all->options, environment), all->warnings);
    case Command::ca:
      return parsed(ca_command(given, all->options, environment), all->warnings);
    case Command::env:
      return parsed(env_command(given, all->options), all->warnings);
  }
  return usage("tapedeck --help lists the commands");
}

Failure no_such_command(const std::string& word) {
  const auto names = command_names();
  if (word.size() > 1 && word.front() == '-') {
    const auto hint =
        hint_for_foreign_option(word.compare(0, 2, "--") == 0 ? word.substr(0, word.find('=')) : word.substr(0, 2));
    return usage("the command comes before options like " + printable(word.substr(0, word.find('='))) + "; " +
                 (hint ? std::string(*hint) : "write tapedeck record, replay or auto first"));
  }
  const auto near = nearest_word(word, names);
  return usage("there is no command " + in_quotes(word) + "; there are " + joined_list(names) +
               (near ? ", did you mean " + std::string(*near) + "?" : ""));
}

}  // namespace

Result<ParsedCommand> parse_command_line(const std::vector<std::string>& args, const Environment& environment,
                                         const std::filesystem::path& cwd) {
  if (args.empty()) return usage("say what to do: tapedeck record, replay or auto; tapedeck --help lists everything");
  const std::string& first = args[0];
  if (first == "--version" || first == "-V") return ParsedCommand{VersionCommand{}, {}};
  const bool asks_for_help = first == "help" || first == "--help" || first == "-h";
  if (asks_for_help && args.size() == 1) return ParsedCommand{HelpCommand{program_help()}, {}};
  const std::string& name = asks_for_help ? args[1] : first;
  const CommandRow* row = find_command(name);
  if (row == nullptr) return no_such_command(name);
  if (asks_for_help) return ParsedCommand{HelpCommand{command_help(row->command)}, {}};

  const auto given = sort_arguments(row->command, {args.begin() + 1, args.end()});
  if (!given) return given.error();
  if (given->help) return ParsedCommand{HelpCommand{command_help(row->command)}, {}};
  return parse_arguments(row->command, *given, environment, cwd);
}

int usage_exit_code(const std::vector<std::string>& args) {
  const CommandRow* row = args.empty() ? nullptr : find_command(args[0]);
  const auto separator = std::find(args.begin(), args.end(), "--");
  const bool wraps =
      row != nullptr && runs_proxy(row->command) && separator != args.end() && separator + 1 != args.end();
  return wraps ? 125 : 2;
}

}  // namespace tapedeck
