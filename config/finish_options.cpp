#include <algorithm>

#include "config/load_options.hpp"
#include "config/parse_values.hpp"
#include "config/profile.hpp"
#include "config/text.hpp"

namespace tapedeck {

namespace {

Failure bad_option(std::string detail) {
  return {"bad-option", Blame::us, std::move(detail)};
}

std::string address_text(const ListenAddress& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<void> check_remote(const Options& options) {
  if (options.allow_remote) return {};
  const auto refuse = [](std::string_view option, const ListenAddress& address) {
    return bad_option("--" + std::string(option) + " " + address_text(address) +
                      " can be reached from other machines; add --allow-remote, or listen on 127.0.0.1:" +
                      std::to_string(address.port));
  };
  for (const ListenAddress& address : options.listen) {
    if (!is_loopback(address)) return refuse("listen", address);
  }
  if (options.admin && !is_loopback(*options.admin)) return refuse("admin", *options.admin);
  return {};
}

// The names of the profiles in force, each once; `none` stands alone and makes the list empty.
Result<std::vector<std::string>> profile_names(const PartialOptions& partial) {
  std::vector<std::string> names;
  for (const std::string& name : partial.profiles.value_or(std::vector<std::string>{"roaring"})) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const bool none = std::find(names.begin(), names.end(), "none") != names.end();
  if (none && names.size() > 1) return bad_option("--profile none excludes every other profile; leave one of them out");
  if (none) names.clear();
  return names;
}

// A reverse proxy is the plain case of the one default profile only; whoever names hosts, profiles or an upstream
// says themselves where origin-form requests go.
Result<void> fill_profiles(Options& options, const PartialOptions& partial) {
  auto names = profile_names(partial);
  if (!names) return names.error();
  options.profiles = std::move(*names);
  const bool by_default = !partial.upstream && !partial.hosts && !partial.profiles;
  for (const std::string& name : options.profiles) {
    const auto profile = load_profile(name);
    if (!profile) return bad_option("--profile: " + profile.error().detail);
    if (by_default) options.upstream = profile->upstream;
  }
  return {};
}

bool runs_in_ci(const Environment& environment) {
  const auto found = environment.find("CI");
  if (found == environment.end()) return false;
  const auto on = parse_switch(found->second);
  return on && *on;
}

void fill_listen(Options& options) {
  if (!options.listen.empty()) return;
  options.listen.push_back({"127.0.0.1", static_cast<std::uint16_t>(options.command.empty() ? 8484 : 0)});
}

// `secret-api-key` of API_KEY: what stands for a secret tells which it was, and is the same with whatever value.
std::string class_of_variable(std::string_view name) {
  constexpr std::size_t class_bytes_max = 64;
  std::string text = "secret-" + lower_case(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text.substr(0, class_bytes_max);
}

// One wait that a user names stands for several of ours. A head, and a pooled connection, is never waited for longer
// than by default: their waits are not of the kind that a slow API needs to be longer.
void fill_waits(Limits& limits, const PartialOptions& partial) {
  if (partial.connect_timeout_ms) {
    limits.connect_timeout_ms = *partial.connect_timeout_ms;
    limits.handshake_timeout_ms = *partial.connect_timeout_ms;
  }
  if (partial.response_timeout_ms) limits.first_byte_timeout_ms = *partial.response_timeout_ms;
  if (!partial.idle_timeout_ms) return;
  limits.client_idle_timeout_ms = *partial.idle_timeout_ms;
  limits.body_idle_timeout_ms = *partial.idle_timeout_ms;
  limits.client_head_timeout_ms = std::min(limits.client_head_timeout_ms, *partial.idle_timeout_ms);
  limits.upstream_idle_timeout_ms = std::min(limits.upstream_idle_timeout_ms, *partial.idle_timeout_ms);
}

}  // namespace

Result<std::vector<LiteralSecret>> resolve_secrets(const PartialOptions& partial, const Environment& environment) {
  std::vector<LiteralSecret> out;
  for (const std::string& text : partial.secrets.value_or(std::vector<std::string>{})) {
    const auto variable = variable_of_secret(text);
    if (!variable) {
      out.push_back({text, LiteralSecret{}.placeholder_class});
      continue;
    }
    const std::string name(*variable);
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) {
      return bad_option("the secret env:" + name + " has no value, since the variable " + name +
                        " is unset or empty; set it, or leave the secret out");
    }
    if (found->second.size() < secret_bytes_min) {
      return bad_option("the variable " + name + " of the secret env:" + name + " holds under " +
                        std::to_string(secret_bytes_min) +
                        " characters, which would be found where no secret is; leave it out");
    }
    out.push_back({found->second, class_of_variable(name)});
  }
  return out;
}

namespace {

// Our folder below the one that the variable names, or below its default in the home folder; empty: neither is there.
std::filesystem::path user_folder(const Environment& environment, const char* variable, const char* below_home) {
  const auto folder = [&](const char* name) -> std::filesystem::path {
    const auto found = environment.find(name);
    return found == environment.end() ? std::filesystem::path() : std::filesystem::path(found->second);
  };
  if (const auto named = folder(variable); named.is_absolute()) return named / "tapedeck";
  if (const auto home = folder("HOME"); home.is_absolute()) return home / below_home / "tapedeck";
  return {};
}

}  // namespace

std::filesystem::path default_cache_dir(const Environment& environment) {
  return user_folder(environment, "XDG_CACHE_HOME", ".cache");
}

Result<std::filesystem::path> default_ca_dir(const Environment& environment) {
  if (auto folder = user_folder(environment, "XDG_DATA_HOME", ".local/share"); !folder.empty()) return folder;
  return bad_option("neither XDG_DATA_HOME nor HOME is an absolute path, so our CA has no place; give --ca-dir DIR");
}

Result<Options> finish_options(Mode mode, std::vector<std::string> command, const PartialOptions& partial,
                               const Environment& environment) {
  Options out;
  out.mode = mode;
  out.command = std::move(command);
  const auto take = [](auto& field, const auto& from) {
    if (from) field = *from;
  };
  take(out.cassette, partial.cassette);
  take(out.listen, partial.listen);
  take(out.allow_remote, partial.allow_remote);
  take(out.hosts, partial.hosts);
  take(out.connect_to, partial.connect_to);
  take(out.upstream_insecure, partial.upstream_insecure);
  take(out.admin, partial.admin);
  take(out.record_policy, partial.record_policy);
  take(out.keep_errors, partial.keep_errors);
  take(out.durable, partial.durable);
  // In the environment or a file they may stand for all commands: auto must not replace what it answers from.
  if (out.mode == Mode::record) take(out.take_disposition, partial.take_disposition);
  take(out.miss_status, partial.miss_status);
  take(out.sequence, partial.sequence);
  take(out.timing, partial.timing);
  take(out.session, partial.session);
  take(out.set_env, partial.set_env);
  take(out.proxy_localhost, partial.proxy_localhost);
  take(out.allow_misses, partial.allow_misses);
  take(out.fail_on_unused, partial.fail_on_unused);
  take(out.ci, partial.ci);
  take(out.record_in_ci, partial.record_in_ci);
  take(out.mark, partial.mark);
  take(out.log_json, partial.log_json);
  take(out.verbosity, partial.verbosity);
  take(out.workers, partial.workers);
  take(out.limits.connections_max, partial.connections_max);
  fill_waits(out.limits, partial);
  out.upstream = partial.upstream;
  out.upstream_ca = partial.upstream_ca;
  out.ready_file = partial.ready_file;
  out.report = partial.report;
  auto secrets = resolve_secrets(partial, environment);
  if (!secrets) return secrets.error();
  out.secrets = std::move(*secrets);
  if (partial.ca_dir) {
    out.ca_dir = *partial.ca_dir;
  } else {
    auto ca_dir = default_ca_dir(environment);
    if (!ca_dir) return ca_dir.error();
    out.ca_dir = std::move(*ca_dir);
  }
  fill_listen(out);
  if (auto checked = check_remote(out); !checked) return checked.error();
  if (auto filled = fill_profiles(out, partial); !filled) return filled.error();
  if (mode == Mode::record && out.ci)
    return bad_option("--ci only reads a cassette; use it with replay or auto, not with record");
  out.recording_allowed =
      mode != Mode::replay && (mode != Mode::auto_ || out.record_in_ci || !(out.ci || runs_in_ci(environment)));
  return out;
}

}  // namespace tapedeck
