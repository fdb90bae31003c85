#include "proxy/cli/help_text.hpp"

#include <algorithm>
#include <vector>

namespace tapedeck {

namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t text_column = 30;

// `text` from `text_column` on, broken between words; the first line goes on behind what `out` ends with.
void append_wrapped(std::string& out, std::size_t column, std::string_view text) {
  bool first_word = true;
  if (column + 2 > text_column) {
    out += '\n';
    column = 0;
  }
  out.append(text_column - column, ' ');
  column = text_column;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (!first_word && column + 1 + end > columns_max) {
      out += '\n' + std::string(text_column, ' ');
      column = text_column;
      first_word = true;
    }
    if (!first_word) out += ' ';
    out += text.substr(0, end);
    column += end + (first_word ? 0 : 1);
    first_word = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

void append_option(std::string& out, const OptionRow& option) {
  std::string left = option.letter != 0 ? std::string("  -") + option.letter + ", " : "      ";
  left += "--" + std::string(option.name);
  if (!option.value.empty()) left += " " + std::string(option.value);
  out += left;
  append_wrapped(out, left.size(), option.help);
}

void append_indented(std::string& out, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    out += "  " + std::string(lines.substr(0, end)) + '\n';
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

}  // namespace

std::string program_help() {
  std::string out =
      "tapedeck records what a program and an HTTP API say to each other, and replays it offline.\n"
      "\n"
      "Usage: tapedeck COMMAND [options]\n"
      "\n"
      "Commands:\n";
  for (const CommandRow& row : commands()) {
    const std::string left = "  " + std::string(row.name);
    out += left + std::string(10 - left.size(), ' ') + std::string(row.summary) + '\n';
  }
  out +=
      "\n"
      "Example:\n"
      "  tapedeck record -- ./nightly_sync.sh     once, with the real API and real keys\n"
      "  tapedeck replay -- ./nightly_sync.sh     as often as you like, offline, with any keys\n"
      "\n"
      "tapedeck COMMAND --help shows the options of a command; tapedeck --version the version.\n";
  return out;
}

std::string command_help(Command command) {
  const CommandRow& row = row_of(command);
  std::string out = "tapedeck " + std::string(row.name) + ": " + std::string(row.summary) + "\n\nUsage: tapedeck " +
                    std::string(row.name);
  const bool arguments_first = !row.arguments.empty() && !runs_proxy(command);
  if (arguments_first) out += " " + std::string(row.arguments);
  out += " [options]";
  if (!row.arguments.empty() && !arguments_first) out += " " + std::string(row.arguments);
  out += "\n\nExample:\n";
  append_indented(out, row.example);

  const auto listed = [&](const OptionRow& option) {
    return (option.taken_by & set_of(command)) != 0 && (option.unlisted_in & set_of(command)) == 0;
  };
  std::vector<std::string_view> groups;
  for (const OptionRow& option : options()) {
    if (listed(option) && std::find(groups.begin(), groups.end(), option.group) == groups.end())
      groups.push_back(option.group);
  }
  for (const std::string_view group : groups) {
    out += '\n' + std::string(group) + ":\n";
    for (const OptionRow& option : options()) {
      if (option.group == group && listed(option)) append_option(out, option);
    }
  }
  if (runs_proxy(command)) {
    out +=
        "\nEvery option is an environment variable too (--cassette is TAPEDECK_CASSETTE), and a key of\n"
        "tapedeck.json. The command line wins over the environment, the environment over the file.\n";
  }
  return out;
}

}  // namespace tapedeck
