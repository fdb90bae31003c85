#include "config/settings.hpp"

#include <algorithm>
#include <array>

#include "config/parse_values.hpp"

namespace tapedeck {

namespace {

// Each of these makes the function of a row out of a parser and the field it fills.
template <auto Parse, auto Field>
Result<void> set_value(PartialOptions& into, std::string_view text) {
  auto parsed = Parse(text);
  if (!parsed) return parsed.error();
  into.*Field = std::move(*parsed);
  return {};
}

template <auto Parse, auto Field>
Result<void> add_value(PartialOptions& into, std::string_view text) {
  auto parsed = Parse(text);
  if (!parsed) return parsed.error();
  auto& list = into.*Field;
  if (!list) list.emplace();
  list->push_back(std::move(*parsed));
  return {};
}

template <auto Field, std::int64_t Min, std::int64_t Max>
Result<void> set_number(PartialOptions& into, std::string_view text) {
  const auto number = parse_number(text, Min, Max);
  if (!number) return number.error();
  using Number = typename std::remove_reference_t<decltype(into.*Field)>::value_type;
  into.*Field = static_cast<Number>(*number);
  return {};
}

// Two switches that set one field to different values: the second of them in one source is a contradiction.
template <auto Field, auto On, auto Off>
Result<void> set_one_of_two(PartialOptions& into, std::string_view text) {
  const auto on = parse_switch(text);
  if (!on) return on.error();
  auto& field = into.*Field;
  if (*on && field && *field != On && *field != Off) {
    return Failure{"bad-value", Blame::us, "excludes the other one that is given too; leave one of them out"};
  }
  if (*on) field = On;
  if (!*on && !field) field = Off;
  return {};
}

Result<void> add_profile(PartialOptions& into, std::string_view text) {
  if (text.empty()) return Failure{"bad-value", Blame::us, "\"\" is no profile; write a name or none"};
  if (!into.profiles) into.profiles.emplace();
  into.profiles->emplace_back(text);
  return {};
}

using P = PartialOptions;
using enum SettingShape;
using enum SettingTrust;
using enum Setting::Kind;

constexpr std::array table{
    Setting{"config", value, any, path, set_value<parse_file_path, &P::config>},
    Setting{"cassette", value, any, path, set_value<parse_file_path, &P::cassette>},
    Setting{"listen", list, local_only, number, add_value<parse_listen_address, &P::listen>},
    Setting{"allow-remote", on_off, asked_for, text, set_value<parse_switch, &P::allow_remote>},
    Setting{"upstream", value, asked_for, text, set_value<parse_upstream_url, &P::upstream>},
    Setting{"profile", list, any, text, add_profile},
    Setting{"host", list, any, text, add_value<parse_host_glob, &P::hosts>},
    Setting{"connect-to", list, asked_for, text, add_value<parse_connect_to, &P::connect_to>},
    Setting{"upstream-ca", value, asked_for, path, set_value<parse_file_path, &P::upstream_ca>},
    Setting{"upstream-insecure", on_off, asked_for, text, set_value<parse_switch, &P::upstream_insecure>},
    Setting{"ca-dir", value, asked_for, path, set_value<parse_file_path, &P::ca_dir>},
    Setting{"admin", value, local_only, number, set_value<parse_admin_address, &P::admin>},
    Setting{"ready-file", value, any, path, set_value<parse_file_path, &P::ready_file>},
    Setting{"secret", list, by_reference, secret, add_value<parse_secret, &P::secrets>},
    Setting{"record", value, any, text, set_value<parse_record_policy, &P::record_policy>},
    Setting{"keep-errors", on_off, any, text, set_value<parse_switch, &P::keep_errors>},
    Setting{"new", on_off, any, text,
            set_one_of_two<&P::take_disposition, TakeDisposition::refuse_existing, TakeDisposition::one_more>},
    Setting{"replace", on_off, any, text,
            set_one_of_two<&P::take_disposition, TakeDisposition::replace_file, TakeDisposition::one_more>},
    Setting{"durable", on_off, any, text, set_value<parse_switch, &P::durable>},
    Setting{"miss-status", value, any, number, set_number<&P::miss_status, 400, 599>},
    Setting{"sequence", value, any, text, set_value<parse_sequence_policy, &P::sequence>},
    Setting{"timing", value, any, text, set_value<parse_timing, &P::timing>},
    Setting{"mark", on_off, any, text, set_value<parse_switch, &P::mark>},
    Setting{"session", value, any, text, set_value<parse_session_name, &P::session>},
    Setting{"set-env", list, any, text, add_value<parse_variable_name, &P::set_env>},
    Setting{"proxy-localhost", on_off, any, text, set_value<parse_switch, &P::proxy_localhost>},
    Setting{"allow-misses", on_off, any, text, set_value<parse_switch, &P::allow_misses>},
    Setting{"fail-on-unused", on_off, any, text, set_value<parse_switch, &P::fail_on_unused>},
    Setting{"ci", on_off, any, text, set_value<parse_switch, &P::ci>},
    Setting{"record-in-ci", on_off, any, text, set_value<parse_switch, &P::record_in_ci>},
    Setting{"report", value, any, path, set_value<parse_file_path, &P::report>},
    Setting{"log-format", value, any, text, set_value<parse_log_is_json, &P::log_json>},
    Setting{"quiet", on_off, any, text, set_one_of_two<&P::verbosity, -1, 0>},
    Setting{"verbose", on_off, any, text, set_one_of_two<&P::verbosity, 1, 0>},
    Setting{"workers", value, any, number, set_number<&P::workers, 1, 256>},
    Setting{"connect-timeout", value, any, number, set_value<parse_seconds, &P::connect_timeout_ms>},
    Setting{"response-timeout", value, any, number, set_value<parse_seconds, &P::response_timeout_ms>},
    Setting{"idle-timeout", value, any, number, set_value<parse_seconds, &P::idle_timeout_ms>},
    Setting{"connections-max", value, any, number, set_number<&P::connections_max, 1, 1'000'000>},
};

}  // namespace

std::span<const Setting> settings() {
  return table;
}

const Setting* find_setting(std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Setting& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string_view> setting_names() {
  std::vector<std::string_view> names;
  for (const Setting& setting : table) names.push_back(setting.name);
  return names;
}

std::string variable_name_of(const Setting& setting) {
  std::string name = "TAPEDECK_";
  for (const char c : setting.name)
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace tapedeck
