#include "proxy/cli/foreign_options.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tapedeck {

namespace {

constexpr std::string_view upstream = "write --upstream URL for the API; credentials come from the client";
constexpr std::string_view insecure = "write --upstream-insecure to leave the upstream unverified";
constexpr std::string_view upstream_ca = "write --upstream-ca FILE for certificates of the upstream";
constexpr std::string_view parent_proxy = "a parent proxy is read from https_proxy in the environment";
constexpr std::string_view listen = "write --listen [ADDR:]PORT";
constexpr std::string_view mode = "the mode is the command: tapedeck record, replay or auto";
constexpr std::string_view cassette = "write --cassette FILE for the file that keeps exchanges";
constexpr std::string_view policy = "write tapedeck auto --record new, once or all";
constexpr std::string_view rules = "there are no scripts; what is known of an API stands in a --profile";
constexpr std::string_view version = "write tapedeck --version";
constexpr std::string_view detach = "it stays in the foreground; write & behind it, with --ready-file FILE";
constexpr std::string_view env = "write --set-env NAME for the base URL; other variables are handed down as they are";

constexpr std::pair<std::string_view, std::string_view> hints[] = {
    {"-u", upstream},
    {"--user", upstream},
    {"--url", upstream},
    {"--target", upstream},
    {"--proxy-all", upstream},
    {"--reverse", upstream},
    {"--upstream-url", upstream},
    {"-k", insecure},
    {"--insecure", insecure},
    {"--ssl-insecure", insecure},
    {"--no-verify", insecure},
    {"--cacert", upstream_ca},
    {"--ca-cert", upstream_ca},
    {"--cafile", upstream_ca},
    {"--ca-file", upstream_ca},
    {"--ssl-verify-upstream-trusted-ca", upstream_ca},
    {"-x", parent_proxy},
    {"--proxy", parent_proxy},
    {"--upstream-proxy", parent_proxy},
    {"-p", listen},
    {"--port", listen},
    {"--listen-port", listen},
    {"--listen-host", listen},
    {"--listen-address", listen},
    {"--bind", listen},
    {"--bind-address", listen},
    {"-b", listen},
    {"--https-port", listen},
    {"--proxy-port", listen},
    {"-m", mode},
    {"--mode", mode},
    {"--record", "recording is the command: tapedeck record, or tapedeck auto --record new, once or all"},
    {"--replay", mode},
    {"--capture", mode},
    {"--simulate", mode},
    {"-r", cassette},
    {"--rfile", cassette},
    {"-w", cassette},
    {"-o", cassette},
    {"--output", cassette},
    {"--save-stream-file", cassette},
    {"-f", cassette},
    {"--file", cassette},
    {"-C", cassette},
    {"--client-replay", cassette},
    {"-S", cassette},
    {"--server-replay", cassette},
    {"--root-dir", cassette},
    {"--record-mode", policy},
    {"--record-on-error", policy},
    {"-s", rules},
    {"--scripts", rules},
    {"--set", rules},
    {"-V", version},
    {"--version", version},
    {"-d", detach},
    {"-e", env},
};

}  // namespace

std::optional<std::string_view> hint_for_foreign_option(std::string_view option) {
  const auto found =
      std::find_if(std::begin(hints), std::end(hints), [&](const auto& hint) { return hint.first == option; });
  if (found == std::end(hints)) return std::nullopt;
  return found->second;
}

}  // namespace tapedeck
