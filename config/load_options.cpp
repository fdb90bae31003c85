#include "config/load_options.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "config/parse_values.hpp"
#include "config/settings.hpp"
#include "config/strict_json.hpp"
#include "config/text.hpp"

namespace tapedeck {

namespace {

using nlohmann::json;

Failure bad_option(std::string detail) {
  return {"bad-option", Blame::us, std::move(detail)};
}

// What a wrapped command is told; it stands in the environment of a tapedeck that runs inside another one.
bool is_told_to_commands(std::string_view variable) {
  static constexpr std::string_view names[] = {"TAPEDECK_PROXY_URL", "TAPEDECK_BASE_URL", "TAPEDECK_CA_FILE",
                                               "TAPEDECK_ADMIN_URL", "TAPEDECK_RECORDED_AT"};
  return std::find(std::begin(names), std::end(names), variable) != std::end(names);
}

std::vector<std::string_view> split_list(std::string_view text) {
  static constexpr std::string_view separators = ", \t\r\n";
  std::vector<std::string_view> items;
  std::size_t at = text.find_first_not_of(separators);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    items.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(separators, end);
  }
  return items;
}

// A variable's text as the items that the command line would have given one by one.
std::vector<std::string_view> items_of(const Setting& setting, std::string_view text) {
  if (setting.shape != SettingShape::list) return {text};
  const bool is_value = setting.kind == Setting::Kind::secret && !variable_of_secret(text);
  return is_value ? std::vector<std::string_view>{text} : split_list(text);
}

// The value of one key as the texts that the command line would have given.
Result<std::vector<std::string>> texts_of(const Setting& setting, const json& value, const std::string& where) {
  const bool number = setting.kind == Setting::Kind::number;
  const auto text_of = [&](const json& item) -> std::optional<std::string> {
    if (item.is_string()) return item.get<std::string>();
    if (number && item.is_number_integer()) return item.dump();
    return std::nullopt;
  };
  if (setting.shape == SettingShape::on_off) {
    if (value.is_boolean()) return std::vector<std::string>{value.get<bool>() ? "1" : "0"};
    return bad_option(where + " must be true or false");
  }
  std::vector<std::string> texts;
  const bool many = setting.shape == SettingShape::list;
  for (const json& item : many&& value.is_array() ? value : json::array({value})) {
    auto text = text_of(item);
    if (!text) {
      return bad_option(where + " must be a text" + (number ? " or a whole number" : "") +
                        (many ? ", or a list of such" : ""));
    }
    texts.push_back(std::move(*text));
  }
  return texts;
}

// What a file found by search may not set, although each key of it is known.
Result<void> check_trust(const Setting& setting, const PartialOptions& set, const std::string& where) {
  static const std::string mend = "; give it on the command line, or name the file with --config";
  if (setting.trust == SettingTrust::asked_for) {
    return bad_option(where + " may not be set by a file that was found by search" + mend);
  }
  if (setting.trust == SettingTrust::by_reference) {
    const auto is_name = [](const std::string& text) { return variable_of_secret(text).has_value(); };
    if (std::all_of(set.secrets->begin(), set.secrets->end(), is_name)) return {};
    return bad_option(where +
                      " holds a secret itself, in a file that is shared; put the secret into a variable and write "
                      "env:NAME here");
  }
  if (setting.trust != SettingTrust::local_only) return {};
  const auto remote = [](const ListenAddress& address) { return !is_loopback(address); };
  const bool listens_beyond = set.listen && std::any_of(set.listen->begin(), set.listen->end(), remote);
  const bool admin_beyond = set.admin && *set.admin && remote(**set.admin);
  if (!listens_beyond && !admin_beyond) return {};
  return bad_option(where + " may not go beyond this machine in a file that was found by search" + mend);
}

Result<std::string> read_file(const std::filesystem::path& file) {
  constexpr std::streamsize bytes_max = 1024 * 1024 + 1;  // the parser refuses what is longer than 1 MiB
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return bad_option("config " + in_quotes(file.string()) + " is a folder; name a JSON file");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return bad_option("config " + in_quotes(file.string()) + " cannot be read; check the path and its permissions");
  }
  std::string text(static_cast<std::size_t>(bytes_max), '\0');
  in.read(text.data(), bytes_max);
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

Result<EnvironmentOptions> options_from_environment(const Environment& environment) {
  EnvironmentOptions out;
  std::vector<std::string> names;
  for (const Setting& setting : settings()) {
    names.push_back(variable_name_of(setting));
    const auto found = environment.find(names.back());
    if (found == environment.end() || found->second.empty()) continue;
    for (const std::string_view text : items_of(setting, found->second)) {
      const auto set = setting.set(out.options, text);
      if (!set) return bad_option(names.back() + ": " + set.error().detail);
    }
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (auto it = environment.lower_bound("TAPEDECK_"); it != environment.end(); ++it) {
    const std::string& name = it->first;
    if (name.compare(0, 9, "TAPEDECK_") != 0) break;
    if (is_told_to_commands(name) || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest_word(name, known);
    if (near)
      out.warnings.push_back(printable(name) + " is no option and has no effect; did you mean " + std::string(*near) +
                             "?");
  }
  return out;
}

Result<PartialOptions> options_from_file(std::string_view json_text, const std::filesystem::path& file,
                                         FileFoundBy found_by) {
  const std::string name = printable(file.string());
  json object;
  if (auto parsed = parse_strict_json(json_text, name, object); !parsed) return parsed.error();
  auto known = setting_names();
  std::erase(known, "config");
  known.push_back("$schema");
  if (auto checked = check_keys(object, known, name); !checked) return checked.error();

  PartialOptions out;
  for (const Setting& setting : settings()) {
    const auto value = object.find(std::string(setting.name));
    if (value == object.end()) continue;
    const std::string where = name + ": \"" + std::string(setting.name) + "\"";
    const auto texts = texts_of(setting, *value, where);
    if (!texts) return texts.error();
    for (const std::string& text : *texts) {
      const std::string resolved = setting.kind == Setting::Kind::path && !text.empty()
                                       ? (file.parent_path() / text).lexically_normal().string()
                                       : text;
      const auto set = setting.set(out, resolved);
      if (!set) return bad_option(where + ": " + set.error().detail);
    }
    if (found_by == FileFoundBy::name) continue;
    if (auto trusted = check_trust(setting, out, where); !trusted) return trusted.error();
  }
  return out;
}

std::optional<std::filesystem::path> find_config_file(const std::filesystem::path& from) {
  std::error_code ignored;
  std::optional<std::filesystem::path> nearest;
  for (std::filesystem::path folder = from;; folder = folder.parent_path()) {
    const auto file = folder / "tapedeck.json";
    if (!nearest && std::filesystem::exists(file, ignored)) nearest = file;
    if (std::filesystem::exists(folder / ".git", ignored)) return nearest;
    if (folder == folder.parent_path()) break;
  }
  const auto here = from / "tapedeck.json";
  return nearest == here ? nearest : std::nullopt;
}

Result<LayeredOptions> load_partial_options(PartialOptions command_line, const Environment& environment,
                                            const std::filesystem::path& cwd) {
  auto from_environment = options_from_environment(environment);
  if (!from_environment) return from_environment.error();
  LayeredOptions out{layered(std::move(command_line), from_environment->options), std::nullopt,
                     std::move(from_environment->warnings)};
  const bool named = out.options.config.has_value();
  out.config_file = named ? (cwd / *out.options.config).lexically_normal() : find_config_file(cwd);
  if (!out.config_file) return out;
  const auto text = read_file(*out.config_file);
  if (!text) return text.error();
  const auto from_file = options_from_file(*text, *out.config_file, named ? FileFoundBy::name : FileFoundBy::search);
  if (!from_file) return from_file.error();
  out.options = layered(std::move(out.options), *from_file);
  return out;
}

}  // namespace tapedeck
