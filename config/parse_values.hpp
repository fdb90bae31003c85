#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// Texts of single options to values. Every failure is one line that names the text and the mend; who gave the text (an
// option, a variable, a key of a file) is put in front by the caller. No failure repeats user info or a query of a URL.

Result<ListenAddress> parse_listen_address(std::string_view text);                // [ADDR:]PORT[=SESSION]
Result<std::optional<ListenAddress>> parse_admin_address(std::string_view text);  // [ADDR:]PORT or `off`
Result<UpstreamUrl> parse_upstream_url(std::string_view text);
Result<ConnectTo> parse_connect_to(std::string_view text);

// A glob as host_glob_matches takes it, lower-case, IPv6 in brackets.
Result<std::string> parse_host_glob(std::string_view text);

Result<Timing> parse_timing(std::string_view text);
Result<RecordPolicy> parse_record_policy(std::string_view text);
Result<SequencePolicy> parse_sequence_policy(std::string_view text);
Result<bool> parse_log_is_json(std::string_view text);
Result<bool> parse_switch(std::string_view text);  // 1, true, yes, on; 0, false, no, off
Result<std::int64_t> parse_number(std::string_view text, std::int64_t min, std::int64_t max);
Result<std::chrono::milliseconds> parse_seconds(std::string_view text);  // 0.1 to 86400
Result<std::string> parse_session_name(std::string_view text);
Result<std::string> parse_variable_name(std::string_view text);
Result<std::string> parse_file_path(std::string_view text);

// A value, or env:NAME for that of a variable, which resolve_secrets looks up. No failure repeats the text: even what
// is wrong with it may be most of a secret.
Result<std::string> parse_secret(std::string_view text);
// The name in env:NAME; nullopt for a value.
std::optional<std::string_view> variable_of_secret(std::string_view text);
// What is shorter stands in texts by chance.
constexpr std::size_t secret_bytes_min = 4;

bool is_loopback(const ListenAddress& address);

}  // namespace tapedeck
