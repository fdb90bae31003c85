#include "proxy/runtime/environment_text.hpp"

#include <nlohmann/json.hpp>

namespace tapedeck {
namespace {

// Anything else would be code in a shell's eyes.
bool is_variable_name(std::string_view name) {
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  if (name.empty() || digits.find(name.front()) != std::string_view::npos) return false;
  return name.find_first_not_of(std::string(letters) + std::string(digits)) == std::string_view::npos;
}

// `special` characters each get a backslash.
std::string with_backslashes(std::string_view value, std::string_view special) {
  std::string text;
  for (const char c : value) {
    if (special.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

std::string sh_line(const std::string& name, const std::string& value) {
  std::string quoted;
  for (const char c : value) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "export " + name + "='" + quoted + "'\n";
}

std::string fish_line(const std::string& name, const std::string& value) {
  return "set -gx " + name + " '" + with_backslashes(value, "\\'") + "'\n";
}

// Single quotes are literal to every reader of such files; only what they cannot hold goes between double ones.
std::string dotenv_line(const std::string& name, const std::string& value) {
  if (value.find_first_of("'\n\r") == std::string::npos) return name + "='" + value + "'\n";
  std::string escaped;
  for (const char c : with_backslashes(value, "\\\"$`")) {
    if (c == '\n')
      escaped += "\\n";
    else if (c == '\r')
      escaped += "\\r";
    else
      escaped += c;
  }
  return name + "=\"" + escaped + "\"\n";
}

std::string github_line(const std::string& name, const std::string& value) {
  if (value.find_first_of("\r\n") == std::string::npos) return name + "=" + value + "\n";
  std::string delimiter = "TAPEDECK_END";
  while (value.find(delimiter) != std::string::npos) delimiter += "_";
  return name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n";
}

std::string json_text(const Environment& variables) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, value] : variables) {
    if (is_variable_name(name)) object[name] = value;
  }
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<std::string> format_environment(const Environment& variables, std::string_view format) {
  const auto lines = [&](auto line) -> Result<std::string> {
    std::string text;
    for (const auto& [name, value] : variables) {
      if (is_variable_name(name)) text += line(name, value);
    }
    return {boost::system::in_place_value, std::move(text)};
  };
  if (format == "sh") return lines(sh_line);
  if (format == "fish") return lines(fish_line);
  if (format == "dotenv") return lines(dotenv_line);
  if (format == "github") return lines(github_line);
  if (format == "json") return {boost::system::in_place_value, json_text(variables)};
  return Failure{"unknown-format", Blame::us, "--format is one of sh, fish, dotenv, github and json"};
}

}  // namespace tapedeck
