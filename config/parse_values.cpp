#include "config/parse_values.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "config/text.hpp"

namespace tapedeck {

namespace {

Failure bad_value(std::string detail) {
  return {"bad-value", Blame::us, std::move(detail)};
}

template <class Value, std::size_t N>
Result<Value> parse_choice(std::string_view text, const std::array<std::pair<std::string_view, Value>, N>& choices) {
  std::array<std::string_view, N> names;
  for (std::size_t i = 0; i < N; ++i) {
    if (choices[i].first == text) return choices[i].second;
    names[i] = choices[i].first;
  }
  const auto near = nearest_word(text, names);
  return bad_value(in_quotes(text) + " is none of " + joined_list(names) +
                   (near ? "; did you mean " + std::string(*near) + "?" : "; choose one of them"));
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// The one way of writing an IP literal (without brackets), or nullopt when it is none.
std::optional<std::string> canonical_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), bytes.data()) != 1) continue;
    return inet_ntop(family, bytes.data(), shown.data(), shown.size());
  }
  return std::nullopt;
}

bool is_ipv6(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  std::size_t label_at = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '.') {
      const char c = name[i];
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
      continue;
    }
    if (i == label_at || i - label_at > 63) return false;
    label_at = i + 1;
  }
  return true;
}

bool has_bytes_beyond_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// Splits at colons that stand outside brackets.
std::vector<std::string_view> split_at_colons(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t part_at = 0;
  bool in_brackets = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '[') in_brackets = true;
    if (i < text.size() && text[i] == ']') in_brackets = false;
    if (i < text.size() && (text[i] != ':' || in_brackets)) continue;
    parts.push_back(text.substr(part_at, i - part_at));
    part_at = i + 1;
  }
  return parts;
}

// A host name in lower case or an IP literal, IPv6 in brackets in the text and without them in the value.
std::optional<std::string> host_of(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::string inner(text.substr(1, text.size() - 2));
    return is_ipv6(inner) ? canonical_address(inner) : std::nullopt;
  }
  const std::string name = lower_case(text);
  if (!is_host_name(name)) return std::nullopt;
  return name;
}

}  // namespace

namespace {

Result<ListenAddress> parse_address_and_port(std::string_view text) {
  static const std::string mend = "write [ADDR:]PORT, as in 8484, 127.0.0.1:8484 or [::1]:8484";
  const std::size_t colon = text.rfind(':');
  const bool port_alone = colon == std::string_view::npos;
  const auto port = port_of(port_alone ? text : text.substr(colon + 1));
  if (!port) return bad_value(in_quotes(text) + " has no port from 0 to 65535 at its end; " + mend);
  if (port_alone) return ListenAddress{"127.0.0.1", *port};

  std::string host(text.substr(0, colon));
  if (host.empty() || host == "*") {
    return bad_value(in_quotes(text) + " does not say which address; write " + std::to_string(*port) +
                     " for this machine alone, or 0.0.0.0:" + std::to_string(*port) + " with --allow-remote");
  }
  if (lower_case(host) == "localhost") return ListenAddress{"127.0.0.1", *port};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = canonical_address(host);
  if (!address || is_ipv6(host) != bracketed) {
    const std::string_view what =
        is_ipv6(host) ? " has an IPv6 address without brackets; " : " does not begin with an IP address; ";
    return bad_value(in_quotes(text) + std::string(what) + mend);
  }
  return ListenAddress{*address, *port};
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto equals = text.find('=');
  auto address = parse_address_and_port(text.substr(0, equals));
  if (!address || equals == std::string_view::npos) return address;
  auto session = parse_session_name(text.substr(equals + 1));
  if (!session) return session.error();
  address->session = std::move(*session);
  return address;
}

Result<std::optional<ListenAddress>> parse_admin_address(std::string_view text) {
  if (text == "off") return std::optional<ListenAddress>{};
  auto address = parse_address_and_port(text);
  if (!address) return bad_value(address.error().detail + "; or write off");
  return std::optional<ListenAddress>(*address);
}

Result<ConnectTo> parse_connect_to(std::string_view text) {
  static const std::string mend =
      "write HOST1:PORT1:HOST2:PORT2, with IPv6 in brackets, as in "
      "api.roaring.io:443:127.0.0.1:8443";
  const auto parts = split_at_colons(text);
  if (parts.size() != 4) return bad_value(in_quotes(text) + " has not three colons; " + mend);
  ConnectTo out;
  const auto read = [](std::string_view host_text, std::string_view port_text, std::string& host, std::uint16_t& port) {
    const auto host_read = host_text.empty() ? std::optional<std::string>("") : host_of(host_text);
    const auto port_read = port_text.empty() ? std::optional<std::uint16_t>(0) : port_of(port_text);
    if (!host_read || !port_read || (!port_text.empty() && *port_read == 0)) return false;
    host = *host_read;
    port = *port_read;
    return true;
  };
  if (!read(parts[0], parts[1], out.from_host, out.from_port) || !read(parts[2], parts[3], out.to_host, out.to_port)) {
    return bad_value(in_quotes(text) + " has a host or port that is none; " + mend);
  }
  if (out.to_host.empty() && out.to_port == 0) return bad_value(in_quotes(text) + " changes nothing; " + mend);
  return out;
}

Result<std::string> parse_host_glob(std::string_view text) {
  static const std::string mend =
      "write a host like api.x.io, *.x.io for all below x.io, or *; with :PORT for one port";
  if (text.find("://") != std::string_view::npos) return bad_value(url_in_quotes(text) + " is a URL; " + mend);
  if (has_bytes_beyond_ascii(text)) {
    return bad_value(in_quotes(text) + " has letters beyond ASCII; write the name in its xn-- form");
  }
  const auto parts = split_at_colons(text);
  if (parts.size() > 2) {
    const auto address = canonical_address(std::string(text));
    if (address) return "[" + *address + "]";
    return bad_value(in_quotes(text) + " has more than one colon; " + mend);
  }
  std::string port_suffix;
  if (parts.size() == 2) {
    const auto port = port_of(parts[1]);
    if (!port || *port == 0)
      return bad_value(in_quotes(text) + " has no port from 1 to 65535 after its colon; " + mend);
    port_suffix = ":" + std::to_string(*port);
  }
  std::string_view name = parts[0];
  if (name == "*") return "*" + port_suffix;
  const bool wild = name.substr(0, 2) == "*.";
  const auto host = host_of(wild ? name.substr(2) : name);
  if (!host || (wild && name[2] == '[')) {
    const bool star = name.substr(wild ? 2 : 0).find('*') != std::string_view::npos;
    return bad_value(in_quotes(text) + (star ? " has a * that is not the whole first label; " : " is no host; ") +
                     mend);
  }
  if (name.front() == '[') return "[" + *host + "]" + port_suffix;
  return (wild ? "*." : "") + *host + port_suffix;
}

Result<Timing> parse_timing(std::string_view text) {
  if (text == "none") return Timing{};
  if (text == "recorded") return Timing{Timing::Kind::recorded, 1.0};
  double scale = 0;
  const bool begins = text.size() > 1 && text.front() == 'x';
  const char* last = text.data() + text.size();
  const auto parsed = begins ? std::from_chars(text.data() + 1, last, scale, std::chars_format::fixed)
                             : std::from_chars_result{nullptr, std::errc::invalid_argument};
  if (parsed.ec == std::errc{} && parsed.ptr == last && scale >= 0.001 && scale <= 10'000) {
    return Timing{Timing::Kind::scaled, scale};
  }
  return bad_value(in_quotes(text) +
                   " is no pace; write none, recorded, or xN with N from 0.001 to 10000 (x2 is twice as fast)");
}

Result<RecordPolicy> parse_record_policy(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, RecordPolicy>, 3> choices{
      {{"new", RecordPolicy::new_}, {"once", RecordPolicy::once}, {"all", RecordPolicy::all}}};
  if (text == "new_episodes") return bad_value("\"new_episodes\" is called new here; write new");
  return parse_choice(text, choices);
}

Result<SequencePolicy> parse_sequence_policy(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, SequencePolicy>, 5> choices{
      {{"sticky", SequencePolicy::sticky},
       {"cycle", SequencePolicy::cycle},
       {"error", SequencePolicy::error},
       {"first", SequencePolicy::first},
       {"last", SequencePolicy::last}}};
  return parse_choice(text, choices);
}

Result<bool> parse_log_is_json(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, bool>, 2> choices{{{"text", false}, {"json", true}}};
  return parse_choice(text, choices);
}

Result<bool> parse_switch(std::string_view text) {
  const std::string word = lower_case(text);
  if (word == "1" || word == "true" || word == "yes" || word == "on") return true;
  if (word == "0" || word == "false" || word == "no" || word == "off") return false;
  return bad_value(in_quotes(text) + " is neither on nor off; write 1 or 0, true or false");
}

Result<std::int64_t> parse_number(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = !text.empty() && error == std::errc{} && end == text.data() + text.size();
  if (whole && number >= min && number <= max) return number;
  return bad_value(in_quotes(text) + (whole ? " is out of range" : " is no whole number") + "; write one from " +
                   std::to_string(min) + " to " + std::to_string(max));
}

Result<std::chrono::milliseconds> parse_seconds(std::string_view text) {
  double seconds = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, seconds, std::chars_format::fixed);
  if (error == std::errc{} && end == last && seconds >= 0.1 && seconds <= 86'400) {
    return std::chrono::milliseconds(std::llround(seconds * 1000));
  }
  return bad_value(in_quotes(text) + " is no time; write seconds from 0.1 to 86400, as in 30 or 0.5");
}

Result<std::string> parse_session_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  if (good) return std::string(text);
  return bad_value(in_quotes(text) + " is no session name; write 1 to 64 letters, digits, '-', '_' or '.'");
}

Result<std::string> parse_variable_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const bool good = !text.empty() && letter(text.front()) &&
                    std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
  if (good) return std::string(text);
  const bool assigns = text.find('=') != std::string_view::npos;
  return bad_value(in_quotes(text.substr(0, text.find('='))) +
                   (assigns ? " came with a value, which is always the base URL; write the name alone"
                            : " is no variable name; write letters, digits and '_', as in ROARING_API_ROOT"));
}

Result<std::string> parse_file_path(std::string_view text) {
  if (text.empty()) return bad_value("\"\" is no path; write one");
  if (text.find('\0') != std::string_view::npos)
    return bad_value(in_quotes(text) + " has a zero byte; write a path without");
  return std::string(text);
}

std::optional<std::string_view> variable_of_secret(std::string_view text) {
  constexpr std::string_view prefix = "env:";
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

Result<std::string> parse_secret(std::string_view text) {
  if (const auto variable = variable_of_secret(text)) {
    if (parse_variable_name(*variable)) return std::string(text);
    return bad_value("env: needs the name of a variable behind it; write letters, digits and '_', as in env:API_KEY");
  }
  if (text.size() >= secret_bytes_min) return std::string(text);
  return bad_value("a secret of under " + std::to_string(secret_bytes_min) +
                   " characters would be found where none is; give a longer one, or leave it out");
}

bool is_loopback(const ListenAddress& address) {
  return address.host == "::1" || address.host.compare(0, 4, "127.") == 0;
}

}  // namespace tapedeck
