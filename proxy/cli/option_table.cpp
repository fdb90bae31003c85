#include "proxy/cli/option_table.hpp"

#include <algorithm>
#include <array>

namespace tapedeck {

namespace {

constexpr std::array command_table{
    CommandRow{Command::record, "record", "[-- COMMAND [ARG...]]",
               "forward to the real API and keep every exchange in a cassette",
               "tapedeck record -- npm test\n"
               "tapedeck record --cassette api.cassette --upstream https://api.roaring.io"},
    CommandRow{Command::replay, "replay", "[-- COMMAND [ARG...]]",
               "answer from a cassette alone, without any outbound connection",
               "tapedeck replay -- npm test\n"
               "tapedeck replay --cassette api.cassette --sequence error --ci -- pytest"},
    CommandRow{Command::auto_, "auto", "[-- COMMAND [ARG...]]",
               "replay what is recorded, forward and record what is not", "tapedeck auto -- npm test"},
    CommandRow{Command::list, "list", "", "list the exchanges of a cassette",
               "tapedeck list --cassette api.cassette\n"
               "tapedeck list --json | jq .url"},
    CommandRow{Command::show, "show", "ID", "show one exchange as text, or its response body",
               "tapedeck show 12\n"
               "tapedeck show 12 --raw > report.pdf"},
    CommandRow{Command::takes, "takes", "[drop last]", "list the takes of a cassette, or drop the newest",
               "tapedeck takes\n"
               "tapedeck takes drop last"},
    CommandRow{Command::scan, "scan", "", "look for secrets that a cassette may still hold",
               "tapedeck scan --cassette api.cassette\n"
               "tapedeck scan --secret env:API_KEY --format json | jq .place"},
    CommandRow{Command::ca, "ca", "create | show | path", "make or show the certificate authority that clients trust",
               "tapedeck ca create --only '*.roaring.io'\n"
               "curl --cacert \"$(tapedeck ca path)\" --proxy http://127.0.0.1:8484 https://api.roaring.io/"},
    CommandRow{Command::env, "env", "", "print the variables that point a shell or job at a running tapedeck",
               "tapedeck replay --ready-file ready.json &\n"
               "eval \"$(tapedeck env --ready-file ready.json)\""},
};

constexpr CommandSet record = set_of(Command::record);
constexpr CommandSet replay = set_of(Command::replay);
constexpr CommandSet automatic = set_of(Command::auto_);
constexpr CommandSet runs = record | replay | automatic;
constexpr CommandSet reads =
    set_of(Command::list) | set_of(Command::show) | set_of(Command::takes) | set_of(Command::scan);
constexpr CommandSet scan = set_of(Command::scan);
constexpr CommandSet env = set_of(Command::env);
constexpr CommandSet ca = set_of(Command::ca);

constexpr std::string_view g_cassette = "Cassette";
constexpr std::string_view g_clients = "What clients connect to";
constexpr std::string_view g_hosts = "Which hosts are intercepted";
constexpr std::string_view g_upstream = "How the real API is reached";
constexpr std::string_view g_secrets = "Secrets";
constexpr std::string_view g_recording = "Recording";
constexpr std::string_view g_replaying = "Replaying";
constexpr std::string_view g_wrapped = "A wrapped COMMAND";
constexpr std::string_view g_ci = "Verdicts and CI";
constexpr std::string_view g_output = "Output";
constexpr std::string_view g_general = "General";

constexpr std::array option_table{
    OptionRow{"cassette", 'c', "FILE", runs | reads, g_cassette, "the cassette (default: tapedeck.cassette)"},
    OptionRow{"new", 0, "", record, g_cassette, "refuse a cassette that exists"},
    OptionRow{"replace", 0, "", record, g_cassette, "swap the cassette for this take once it is complete"},
    OptionRow{"durable", 0, "", runs, g_cassette, "sync each commit to disk; slower, survives a power cut", replay},

    OptionRow{"listen", 'l', "[ADDR:]PORT[=NAME]", runs, g_clients,
              "default 127.0.0.1:8484, with COMMAND a free port; 0 takes a free one; what comes in there is of session "
              "NAME; may be repeated"},
    OptionRow{"allow-remote", 0, "", runs, g_clients, "let other machines connect; then nothing is tunnelled"},
    OptionRow{"admin", 0, "ADDR:PORT|off", runs, g_clients, "inspector and admin API (default: 127.0.0.1:0)"},
    OptionRow{"ready-file", 0, "FILE", runs, g_clients, "write addresses and token here once everything listens"},
    OptionRow{"idle-timeout", 0, "SECONDS", runs, g_clients,
              "end connections that stand still in a body (default: 60), between requests (120) or in a head (30 at "
              "most)"},
    OptionRow{"connections-max", 0, "N", runs, g_clients, "how many may be open at once (default: 16384)"},
    OptionRow{"ca-dir", 0, "DIR", runs | ca, g_clients, "where our CA lives (default: $XDG_DATA_HOME/tapedeck)"},

    OptionRow{"profile", 0, "NAME", runs, g_hosts,
              "hosts and rules of an API (default: roaring), or none; may be repeated"},
    OptionRow{"host", 0, "GLOB", runs, g_hosts,
              "one more host: api.x.io, *.x.io, * for all, :PORT for one port; may be repeated"},

    OptionRow{"upstream", 0, "URL", runs, g_upstream,
              "where requests go that come to us as to a server (default: the profile's, unless --profile or --host "
              "is given)"},
    OptionRow{"connect-to", 0, "HOST1:PORT1:HOST2:PORT2", runs, g_upstream,
              "connect to HOST2:PORT2 when HOST1:PORT1 is asked for, as curl does; may be repeated", replay},
    OptionRow{"upstream-ca", 0, "FILE", runs, g_upstream, "PEM certificates trusted beside the system's", replay},
    OptionRow{"upstream-insecure", 0, "", runs, g_upstream, "do not verify the upstream", replay},
    OptionRow{"connect-timeout", 0, "SECONDS", runs, g_upstream,
              "to look a host up, to connect and to agree on TLS, each (default: 10)", replay},
    OptionRow{"response-timeout", 0, "SECONDS", runs, g_upstream,
              "from the end of a request to the first byte of its answer (default: 60)", replay},

    OptionRow{"secret", 0, "VALUE|env:NAME", runs | scan, g_secrets,
              "a value that is a secret wherever it stands, in any encoding; env:NAME is the value of a variable, "
              "which other users cannot see; may be repeated"},

    OptionRow{"record", 0, "new|once|all", automatic, g_recording,
              "new: what is not recorded yet (default); once: only into a new cassette; all: everything anew"},
    OptionRow{"keep-errors", 0, "", automatic, g_recording,
              "keep 401, 429, 5xx and network failures too (403 and 404 are always kept)"},

    OptionRow{"miss-status", 0, "N", runs, g_replaying, "status of an answer that is not recorded (default: 501)",
              record},
    OptionRow{"sequence", 0, "POLICY", runs, g_replaying,
              "when the recordings of a request run out: sticky repeats the last (default), cycle, error; or always "
              "first, last",
              record},
    OptionRow{"timing", 0, "none|recorded|xN", runs, g_replaying,
              "pace of answers: none (default), as recorded, or N times as fast", record},
    OptionRow{"mark", 0, "", runs, g_replaying, "name the recording in the headers of each answer", record},

    OptionRow{"session", 0, "NAME", runs, g_wrapped, "the session of its requests (default: default)"},
    OptionRow{"set-env", 0, "NAME", runs | env, g_wrapped,
              "put the base URL in this variable too, for clients that ignore proxies; may be repeated"},
    OptionRow{"proxy-localhost", 0, "", runs | env, g_wrapped, "send requests to loopback through the proxy as well"},
    OptionRow{"allow-misses", 0, "", runs, g_wrapped, "misses do not fail the run", record},

    OptionRow{"fail-on-unused", 0, "", runs, g_ci, "recordings that nobody asked for fail the run", record},
    OptionRow{"ci", 0, "", runs, g_ci, "fail on misses and on no traffic at all, never record, report what is unused",
              record},
    OptionRow{"record-in-ci", 0, "", automatic, g_ci, "record although CI=true is set"},
    OptionRow{"report", 0, "FILE", runs, g_ci, "write misses, unused and hits here, as .json or JUnit .xml"},

    OptionRow{"ready-file", 0, "FILE", env, g_general, "the file that the running tapedeck was told to write"},
    OptionRow{"format", 0, "FORMAT", env, g_general, "sh (default), fish, dotenv, github or json"},
    OptionRow{"format", 0, "FORMAT", scan, g_output, "text (default), or json: one object a line"},
    OptionRow{"only", 0, "NAME", ca, g_general,
              "create: a CA that is good for these names, localhost and loopback alone; may be repeated"},
    OptionRow{"force", 0, "", ca, g_general, "create: in place of the one there is, which nobody can use again"},
    OptionRow{"take", 0, "N", set_of(Command::list), g_general, "only the exchanges of take N"},
    OptionRow{"json", 0, "", set_of(Command::list) | set_of(Command::takes), g_output, "one JSON object a line"},
    OptionRow{"raw", 0, "", set_of(Command::show), g_output, "the bytes of the response body alone, as they are kept"},

    OptionRow{"config", 0, "FILE", runs | reads | ca | env, g_general,
              "options as JSON (default: tapedeck.json here or above, up to the repository's root)"},
    OptionRow{"workers", 0, "N", runs, g_general, "threads that serve connections (default: one a core, at most 4)"},
    OptionRow{"log-format", 0, "text|json", runs, g_general, "how log lines are written (default: text)"},
    OptionRow{"quiet", 'q', "", runs, g_general, "say only what went wrong"},
    OptionRow{"verbose", 'v', "", runs, g_general, "say more"},
};

}  // namespace

std::span<const CommandRow> commands() {
  return command_table;
}

const CommandRow* find_command(std::string_view name) {
  const auto found =
      std::find_if(command_table.begin(), command_table.end(), [&](const CommandRow& row) { return row.name == name; });
  return found == command_table.end() ? nullptr : &*found;
}

const CommandRow& row_of(Command command) {
  return command_table[static_cast<std::size_t>(command)];
}

std::vector<std::string_view> command_names() {
  std::vector<std::string_view> names;
  for (const CommandRow& row : command_table) names.push_back(row.name);
  return names;
}

bool runs_proxy(Command command) {
  return (set_of(command) & runs) != 0;
}

std::span<const OptionRow> options() {
  return option_table;
}

const OptionRow* find_option(std::string_view name, Command command) {
  const auto found = std::find_if(option_table.begin(), option_table.end(), [&](const OptionRow& row) {
    return row.name == name && (row.taken_by & set_of(command)) != 0;
  });
  return found == option_table.end() ? nullptr : &*found;
}

std::vector<std::string_view> takers_of(std::string_view name) {
  std::vector<std::string_view> takers;
  for (const CommandRow& row : command_table) {
    if (find_option(name, row.command) != nullptr) takers.push_back(row.name);
  }
  return takers;
}

}  // namespace tapedeck
