#include "proxy/cli/given_arguments.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "config/text.hpp"
#include "proxy/cli/foreign_options.hpp"

namespace tapedeck {

namespace {

Failure usage(std::string detail) {
  return {"usage", Blame::us, std::move(detail)};
}

std::string help_pointer(const CommandRow& row) {
  return "see tapedeck " + std::string(row.name) + " --help";
}

// The option's name as it was written, without its value: "--name=value" and "-kvalue" are cut.
std::string option_name_in(const std::string& word) {
  if (word.compare(0, 2, "--") == 0) return word.substr(0, word.find('='));
  return word.substr(0, 2);
}

Failure unknown_option(const CommandRow& row, const std::string& word) {
  const std::string name = option_name_in(word);
  const std::string known = name.compare(0, 2, "--") == 0 ? name.substr(2) : "";
  const std::string start = "tapedeck " + std::string(row.name) + " has no option " + printable(name) + "; ";
  const auto takers = takers_of(known);
  if (known == "keep-errors" && row.command == Command::record) {
    return usage(start + "it keeps every answer anyway, so leave it out");
  }
  const auto hint = hint_for_foreign_option(name);
  if (hint) return usage(start + std::string(*hint));
  if (!takers.empty()) return usage(start + "it belongs to tapedeck " + joined_list(takers));
  std::vector<std::string_view> names;
  for (const OptionRow& option : options()) {
    if (find_option(option.name, row.command) != nullptr) names.push_back(option.name);
  }
  const auto near = nearest_word(known, names);
  return usage(start + (near ? "did you mean --" + std::string(*near) + "?" : help_pointer(row)));
}

Failure lacks_value(const OptionRow& option) {
  const std::string name = "--" + std::string(option.name);
  return usage(name + " lacks its value; write " + name + " " + std::string(option.value) + " (" + name + "=" +
               std::string(option.value) + " when it begins with '-')");
}

// CLI11 says "--name: …"; what follows is in its words, so only the name is taken.
Failure broken_option(const CommandRow& row, const std::string& complaint) {
  const std::string name = option_name_in(complaint.substr(0, complaint.find(':')));
  const OptionRow* option = name.size() > 2 ? find_option(name.substr(2), row.command) : nullptr;
  if (option == nullptr) return usage("these arguments cannot be read; " + help_pointer(row));
  return lacks_value(*option);
}

// Moves what stands behind "--" from `own` to `given`.
Result<void> split_wrapped(const CommandRow& row, std::vector<std::string>& own, GivenArguments& given) {
  const auto separator = std::find(own.begin(), own.end(), "--");
  if (separator == own.end()) return {};
  if (!runs_proxy(row.command)) return usage("tapedeck " + std::string(row.name) + " wraps no command; leave -- out");
  given.wrapped.assign(separator + 1, own.end());
  own.erase(separator, own.end());
  const bool asks_for_help = std::find(own.begin(), own.end(), "--help") != own.end();
  if (!given.wrapped.empty() || asks_for_help) return {};
  return usage("there is no COMMAND behind --; write tapedeck " + std::string(row.name) +
               " -- COMMAND, or leave -- out");
}

using KnownOptions = std::vector<std::pair<const OptionRow*, CLI::Option*>>;

KnownOptions add_options(CLI::App& app, Command command) {
  KnownOptions known;
  for (const OptionRow& option : options()) {
    if ((option.taken_by & set_of(command)) == 0) continue;
    const std::string names =
        (option.letter != 0 ? std::string("-") + option.letter + "," : "") + "--" + std::string(option.name);
    CLI::Option* added = option.value.empty() ? app.add_flag(names) : app.add_option(names);
    if (!option.value.empty()) added->expected(1)->allow_extra_args(false);
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    known.emplace_back(&option, added);
  }
  return known;
}

// CLI11 takes the next word whatever it is; an option in place of a value is a value that was forgotten.
bool took_an_option(const OptionRow& option, const std::string& text, const std::vector<std::string>& own) {
  return !option.value.empty() && text.size() > 1 && text.front() == '-' &&
         std::find(own.begin(), own.end(), text) != own.end();
}

}  // namespace

Result<GivenArguments> sort_arguments(Command command, const std::vector<std::string>& args) {
  const CommandRow& row = row_of(command);
  GivenArguments given;
  std::vector<std::string> own(args);
  if (auto split = split_wrapped(row, own, given); !split) return split.error();

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  const CLI::Option* help = app.add_flag("-h,--help");
  const KnownOptions known = add_options(app, command);
  try {
    app.parse(std::vector<std::string>(own.rbegin(), own.rend()));  // CLI11 takes them from the back
  } catch (const CLI::ParseError& error) {
    return broken_option(row, error.what());
  }
  given.help = help->count() > 0;
  for (const auto& [option, read] : known) {
    if (read->count() == 0) continue;
    for (const std::string& text : read->results()) {
      if (took_an_option(*option, text, own)) return lacks_value(*option);
    }
    given.options.emplace(option->name, read->results());
  }
  for (std::string& word : app.remaining()) {
    const bool is_option = word.size() > 1 && word.front() == '-';
    if (is_option && !given.help) return unknown_option(row, word);
    if (!is_option) given.arguments.push_back(std::move(word));
  }
  return given;
}

}  // namespace tapedeck
