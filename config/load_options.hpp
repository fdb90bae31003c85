#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/partial_options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// Environment variables by name.
using Environment = std::map<std::string, std::string>;

// The options of one run out of their sources: command line, then environment, then config file, then profile, then
// defaults. Everything but load_partial_options and find_config_file is a function of values.

struct EnvironmentOptions {
  PartialOptions options;
  std::vector<std::string> warnings;  // variables that look like ours and are not
};

// An empty variable counts as unset. Lists are separated by commas or white space; TAPEDECK_SECRET is a list when it
// begins with env:, else one value as it stands.
Result<EnvironmentOptions> options_from_environment(const Environment& environment);

// `file` is absolute: paths in the file are relative to its folder. A file that was found by search may not set what
// decides where credentials go (SettingTrust).
enum class FileFoundBy { name, search };
Result<PartialOptions> options_from_file(std::string_view json, const std::filesystem::path& file,
                                         FileFoundBy found_by);

// tapedeck.json in `from` or a folder above it, up to the one that holds .git; outside a repository in `from` alone.
std::optional<std::filesystem::path> find_config_file(const std::filesystem::path& from);

struct LayeredOptions {
  PartialOptions options;
  std::optional<std::filesystem::path> config_file;
  std::vector<std::string> warnings;
};

// Puts the environment and the config file under what the command line says. Reads at most one file.
Result<LayeredOptions> load_partial_options(PartialOptions command_line, const Environment& environment,
                                            const std::filesystem::path& cwd);

// Fills in profile and defaults, and refuses what does not go together.
Result<Options> finish_options(Mode mode, std::vector<std::string> command, const PartialOptions& partial,
                               const Environment& environment);

// Looks up what stands as env:NAME. A variable that is unset or empty is refused by its name: a run that went on would
// write the secret down.
Result<std::vector<LiteralSecret>> resolve_secrets(const PartialOptions& partial, const Environment& environment);

// $XDG_DATA_HOME/tapedeck, or the same below $HOME/.local/share. A variable that is not an absolute path is not used.
Result<std::filesystem::path> default_ca_dir(const Environment& environment);

// $XDG_CACHE_HOME/tapedeck, or the same below $HOME/.cache; empty when neither is an absolute path.
std::filesystem::path default_cache_dir(const Environment& environment);

}  // namespace tapedeck
