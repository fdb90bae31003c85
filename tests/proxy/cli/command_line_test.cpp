#include "proxy/cli/command_line.hpp"

#include <doctest/doctest.h>

#include "config/settings.hpp"
#include "proxy/cli/option_table.hpp"

using namespace tapedeck;
using namespace std::chrono_literals;

namespace {

const Environment home{{"HOME", "/home/ada"}};
const std::filesystem::path nowhere = "/nonexistent/below/nothing";

using Words = std::vector<std::string>;

Result<ParsedCommand> parse(const Words& args, const Environment& environment = home) {
  return parse_command_line(args, environment, nowhere);
}

template <class T>
T parsed(const Words& args, const Environment& environment = home) {
  auto result = parse(args, environment);
  REQUIRE_MESSAGE(result.has_value(), result.error().detail);
  REQUIRE(std::holds_alternative<T>(result->command));
  return std::get<T>(result->command);
}

std::string refusal(const Words& args, const Environment& environment = home) {
  const auto result = parse(args, environment);
  return result ? "" : result.error().detail;
}

std::string text_of(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word + ' ';
  return text;
}

}  // namespace

TEST_CASE("the command decides the mode, and what is behind -- is the wrapped command untouched") {
  CHECK(parsed<Options>({"record"}).mode == Mode::record);
  CHECK(parsed<Options>({"replay"}).mode == Mode::replay);
  CHECK(parsed<Options>({"auto"}).mode == Mode::auto_);
  CHECK(parsed<Options>({"replay", "--upstream-ca", "/nowhere/ca.pem"}).mode == Mode::replay);  // it dials nobody
  const Options options = parsed<Options>({"replay", "-q", "--", "curl", "-u", "a:b", "--", "--help"});
  CHECK(options.command == Words{"curl", "-u", "a:b", "--", "--help"});
  CHECK(options.verbosity == -1);
  CHECK(options.listen[0].port == 0);
}

TEST_CASE("every option of the contract is understood in each way of writing it") {
  const Options options = parsed<Options>({"auto",
                                           "-c",
                                           "a.cassette",
                                           "-l9000",
                                           "--listen",
                                           "[::1]:9001",
                                           "--host=*.x.io",
                                           "--host",
                                           "[::1]",
                                           "--upstream",
                                           "http://x.io:81",
                                           "--profile",
                                           "none",
                                           "--connect-to",
                                           "a:1:b:2",
                                           "--upstream-insecure",
                                           "--ca-dir",
                                           "/ca",
                                           "--admin",
                                           "off",
                                           "--ready-file",
                                           "r.json",
                                           "--record",
                                           "all",
                                           "--keep-errors",
                                           "--miss-status",
                                           "404",
                                           "--sequence",
                                           "cycle",
                                           "--timing",
                                           "x2",
                                           "--session",
                                           "alice",
                                           "--set-env",
                                           "ROOT",
                                           "--proxy-localhost",
                                           "--allow-misses",
                                           "--fail-on-unused",
                                           "--ci",
                                           "--record-in-ci",
                                           "--report",
                                           "r.xml",
                                           "--log-format",
                                           "json",
                                           "-v",
                                           "--mark",
                                           "--durable",
                                           "--workers",
                                           "3",
                                           "--connect-timeout",
                                           "5",
                                           "--response-timeout",
                                           "0.25",
                                           "--idle-timeout",
                                           "300",
                                           "--connections-max",
                                           "7",
                                           "--allow-remote",
                                           "--",
                                           "true"});
  CHECK(options.cassette == "a.cassette");
  REQUIRE(options.listen.size() == 2);
  CHECK(options.listen[0].port == 9000);
  CHECK(options.listen[1].host == "::1");
  CHECK(options.hosts == Words{"*.x.io", "[::1]"});
  CHECK(options.upstream->host == "x.io");
  CHECK(options.profiles.empty());
  CHECK(options.connect_to[0].to_host == "b");
  CHECK(options.upstream_insecure);
  CHECK(options.ca_dir == "/ca");
  CHECK(!options.admin.has_value());
  CHECK(*options.ready_file == "r.json");
  CHECK(options.record_policy == RecordPolicy::all);
  CHECK(options.keep_errors);
  CHECK(options.miss_status == 404);
  CHECK(options.sequence == SequencePolicy::cycle);
  CHECK(options.timing.scale == 2.0);
  CHECK(options.session == "alice");
  CHECK(options.set_env == Words{"ROOT"});
  CHECK(options.proxy_localhost);
  CHECK(options.allow_misses);
  CHECK(options.fail_on_unused);
  CHECK(options.ci);
  CHECK(options.record_in_ci);
  CHECK(options.recording_allowed);
  CHECK(*options.report == "r.xml");
  CHECK(options.log_json);
  CHECK(options.verbosity == 1);
  CHECK(options.mark);
  CHECK(options.durable);
  CHECK(options.workers == 3);
  CHECK(options.limits.connect_timeout_ms == 5s);
  CHECK(options.limits.first_byte_timeout_ms == 250ms);
  CHECK(options.limits.body_idle_timeout_ms == 300s);
  CHECK(options.limits.connections_max == 7);
  CHECK(options.allow_remote);
  CHECK(parsed<Options>({"record", "--new"}).take_disposition == TakeDisposition::refuse_existing);
  CHECK(parsed<Options>({"record", "--replace"}).take_disposition == TakeDisposition::replace_file);
  CHECK(parsed<Options>({"record", "--mark=false"}).mark == false);
  CHECK(parsed<Options>({"record", "-c", "a", "-c", "b"}).cassette == "b");
  CHECK(parsed<Options>({"record", "--cassette=-v", "--", "curl", "-v"}).cassette == "-v");
}

TEST_CASE("every setting is an option of some command, and every option of the runs is a setting") {
  for (const Setting& setting : settings()) {
    CAPTURE(setting.name);
    CHECK(!takers_of(setting.name).empty());
  }
  for (const OptionRow& option : options()) {
    CAPTURE(option.name);
    for (const CommandRow& command : commands()) {
      if (!runs_proxy(command.command) || find_option(option.name, command.command) == nullptr) continue;
      const Setting* setting = find_setting(option.name);
      REQUIRE(setting != nullptr);
      CHECK((setting->shape == SettingShape::on_off) == option.value.empty());
    }
  }
}

TEST_CASE("the command line wins over the environment") {
  const Environment environment{{"HOME", "/h"}, {"TAPEDECK_CASSETTE", "env.cassette"}, {"TAPEDECK_MARK", "1"}};
  CHECK(parsed<Options>({"replay", "-c", "own.cassette"}, environment).cassette == "own.cassette");
  CHECK(parsed<Options>({"replay"}, environment).mark);
  CHECK(parsed<ListCommand>({"list"}, environment).cassette == "env.cassette");
}

TEST_CASE("the commands that work on a cassette") {
  CHECK(parsed<ListCommand>({"list"}).cassette == "tapedeck.cassette");
  CHECK(!parsed<ListCommand>({"list"}).take.has_value());
  const auto list = parsed<ListCommand>({"list", "--json", "--take", "2", "-c", "x"});
  CHECK(list.json);
  CHECK(list.take == 2);
  CHECK(list.cassette == "x");
  const auto show = parsed<ShowCommand>({"show", "12", "--raw", "--cassette", "x"});
  CHECK(show.id == 12);
  CHECK(show.raw);
  CHECK(!parsed<TakesCommand>({"takes"}).drop_last);
  CHECK(parsed<TakesCommand>({"takes", "drop", "last"}).drop_last);
  CHECK(parsed<ScanCommand>({"scan"}).cassette == "tapedeck.cassette");
  CHECK(!parsed<ScanCommand>({"scan", "--format", "text"}).json);
  CHECK(parsed<ScanCommand>({"scan", "--format", "json", "-c", "x"}).json);
  CHECK(refusal({"scan", "--format", "xml"}) == "--format \"xml\" is none of text and json; choose one of them");
  CHECK(parsed<CaCommand>({"ca", "path"}).dir == "/home/ada/.local/share/tapedeck");
  const auto create =
      parsed<CaCommand>({"ca", "create", "--only", "*.x.io", "--only", "y.io", "--force", "--ca-dir", "/ca"});
  CHECK(create.action == CaCommand::Action::create);
  CHECK(create.only == Words{"*.x.io", "y.io"});
  CHECK(create.force);
  CHECK(create.dir == "/ca");
  const auto env = parsed<EnvCommand>({"env", "--ready-file", "r.json", "--format", "fish", "--set-env", "ROOT"});
  CHECK(env.ready_file == "r.json");
  CHECK(env.format == "fish");
  CHECK(env.options.set_env == Words{"ROOT"});
}

TEST_CASE("a command line that is wrong is refused in one line that ends with the mend") {
  struct Row {
    Words args;
    const char* detail;
  };
  const Row rows[] = {
      {{}, "say what to do: tapedeck record, replay or auto; tapedeck --help lists everything"},
      {{"recrod"},
       "there is no command \"recrod\"; there are record, replay, auto, list, show, takes, scan, ca and env, did you "
       "mean "
       "record?"},
      {{"help", "verify"},
       "there is no command \"verify\"; there are record, replay, auto, list, show, takes, scan, ca and env"},
      {{"-c", "x", "record"}, "the command comes before options like -c; write tapedeck record, replay or auto first"},
      {{"--mode=reverse"},
       "the command comes before options like --mode; the mode is the command: tapedeck record, replay or auto"},
      {{"record", "--casette", "x"}, "tapedeck record has no option --casette; did you mean --cassette?"},
      {{"record", "--frobnicate"}, "tapedeck record has no option --frobnicate; see tapedeck record --help"},
      {{"record", "-Z"}, "tapedeck record has no option -Z; see tapedeck record --help"},
      {{"replay", "--new"}, "tapedeck replay has no option --new; it belongs to tapedeck record"},
      {{"record", "--keep-errors"},
       "tapedeck record has no option --keep-errors; it keeps every answer anyway, so leave it out"},
      {{"record", "--record", "all"},
       "tapedeck record has no option --record; recording is the command: tapedeck record, or tapedeck auto --record "
       "new, once or all"},
      {{"list", "--upstream", "https://x.io"},
       "tapedeck list has no option --upstream; it belongs to tapedeck record, replay and auto"},
      {{"record", "curl", "https://x.io"},
       "tapedeck record takes no argument \"curl\"; write -- before the command to wrap: tapedeck record [options] -- "
       "COMMAND"},
      {{"record", "--"}, "there is no COMMAND behind --; write tapedeck record -- COMMAND, or leave -- out"},
      {{"list", "--", "x"}, "tapedeck list wraps no command; leave -- out"},
      {{"list", "x"}, "tapedeck list takes no argument \"x\"; see tapedeck list --help"},
      {{"record", "--cassette"},
       "--cassette lacks its value; write --cassette FILE (--cassette=FILE when it begins with '-')"},
      {{"record", "--cassette", "--new"},
       "--cassette lacks its value; write --cassette FILE (--cassette=FILE when it begins with '-')"},
      {{"record", "--mark=perhaps"}, "--mark: \"perhaps\" is neither on nor off; write 1 or 0, true or false"},
      {{"record", "--new", "--replace"}, "--replace: excludes the other one that is given too; leave one of them out"},
      {{"record", "-q", "-v"}, "--verbose: excludes the other one that is given too; leave one of them out"},
      {{"replay", "--miss-status", "99"}, "--miss-status: \"99\" is out of range; write one from 400 to 599"},
      {{"record", "--listen", "0.0.0.0:80"},
       "--listen 0.0.0.0:80 can be reached from other machines; add --allow-remote, or listen on 127.0.0.1:80"},
      {{"record", "--set-env", "ROOT"}, "--set-env is for a wrapped command; write -- COMMAND behind the options"},
      {{"record", "--upstream-ca", "/nowhere/ca.pem"},
       "--upstream-ca \"/nowhere/ca.pem\" cannot be read; name a PEM file that can"},
      {{"auto", "--upstream-ca", "/nowhere/ca.pem"},
       "--upstream-ca \"/nowhere/ca.pem\" cannot be read; name a PEM file that can"},
      {{"show"}, "tapedeck show needs the ID of an exchange; tapedeck list prints the IDs"},
      {{"show", "1", "2"}, "tapedeck show takes one ID, not several; tapedeck list prints the IDs"},
      {{"show", "x"}, "\"x\" is no ID of an exchange; tapedeck list prints the IDs"},
      {{"show", "0"}, "\"0\" is no ID of an exchange; tapedeck list prints the IDs"},
      {{"takes", "drop"}, "tapedeck takes does not know \"drop\"; write tapedeck takes, or tapedeck takes drop last"},
      {{"takes", "drop", "all"},
       "tapedeck takes does not know \"drop\"; write tapedeck takes, or tapedeck takes drop last"},
      {{"ca"}, "tapedeck ca needs one of create, show and path; as in tapedeck ca show"},
      {{"ca", "delete"}, "tapedeck ca does not know \"delete\"; write create, show or path"},
      {{"ca", "show", "--force"}, "--force belongs to tapedeck ca create; leave it out"},
      {{"env"}, "tapedeck env needs --ready-file FILE, the one that the running tapedeck was told to write"},
      {{"env", "--ready-file", "r", "--format", "bash"},
       "--format \"bash\" is none of sh, fish, dotenv, github and json; choose one of them"},
      {{"list", "--take", "0"}, "--take: \"0\" is out of range; write one from 1 to 9223372036854775807"},
  };
  for (const Row& row : rows) {
    CAPTURE(text_of(row.args));
    CHECK(refusal(row.args) == row.detail);
  }
}

TEST_CASE("secrets are given by value or by variable, and no refusal repeats one") {
  const Environment environment{{"HOME", "/h"}, {"API_KEY", "k-value-1"}, {"TAPEDECK_SECRET", "env:API_KEY"}};
  const Options options = parsed<Options>({"record", "--secret", "hunter2", "--secret=-hunter3"}, environment);
  REQUIRE(options.secrets.size() == 3);
  CHECK(options.secrets[0].value == "hunter2");
  CHECK(options.secrets[1].value == "-hunter3");
  CHECK(options.secrets[2].value == "k-value-1");
  CHECK(parsed<ScanCommand>({"scan"}, environment).secrets.at(0).placeholder_class == "secret-api-key");
  const std::vector<Words> wrong = {
      {"record", "--secret", "qzx"},
      {"record", "--secret", "-qzx"},
      {"record", "--secret", "env:qzx!"},
      {"replay", "--secret", "correct horse", "qzx"},
      {"list", "--secret", "qzx-hunter2"},
      {"auto", "--secrte", "qzx-hunter2"},
      {"auto", "--secrte=qzx-hunter2"},
      {"scan", "--secret", "qzx"},
      {"scan", "--secret", "correct horse", "qzx"},
  };
  for (const Words& args : wrong) {
    CAPTURE(text_of(args));
    const std::string detail = refusal(args);
    CHECK(!detail.empty());
    CHECK(detail.find("qzx") == std::string::npos);
  }
  CHECK(refusal({"auto", "--secret", "env:UNSET_KEY"}) ==
        "the secret env:UNSET_KEY has no value, since the variable UNSET_KEY is unset or empty; set it, or leave the "
        "secret out");
  CHECK(refusal({"scan", "--secret", "env:UNSET_KEY"}) == refusal({"auto", "--secret", "env:UNSET_KEY"}));
}

TEST_CASE("options of other tools get a hint that names ours, and their values are never repeated") {
  struct Row {
    Words args;
    const char* hint;
  };
  const Row rows[] = {
      {{"record", "-u", "hunter2"}, "--upstream URL"},
      {{"record", "-uhunter2"}, "--upstream URL"},
      {{"record", "--user", "ada:hunter2"}, "--upstream URL"},
      {{"record", "-k"}, "--upstream-insecure"},
      {{"record", "--insecure"}, "--upstream-insecure"},
      {{"record", "--ssl-insecure"}, "--upstream-insecure"},
      {{"record", "--cacert", "ca.pem"}, "--upstream-ca FILE"},
      {{"record", "--cacert=hunter2"}, "--upstream-ca FILE"},
      {{"record", "-x", "http://ada:hunter2@proxy"}, "https_proxy"},
      {{"record", "--proxy=http://ada:hunter2@proxy"}, "https_proxy"},
      {{"record", "-p", "8080"}, "--listen [ADDR:]PORT"},
      {{"record", "--port=8080"}, "--listen [ADDR:]PORT"},
      {{"record", "-o", "x"}, "--cassette FILE"},
      {{"record", "-m", "reverse"}, "tapedeck record, replay or auto"},
      {{"record", "--mode", "reverse"}, "tapedeck record, replay or auto"},
      {{"record", "-r", "x"}, "--cassette FILE"},
      {{"record", "-w", "x"}, "--cassette FILE"},
      {{"record", "-s", "x.py"}, "--profile"},
      {{"auto", "--record-mode", "once"}, "tapedeck auto --record new, once or all"},
      {{"record", "--zzz=hunter2"}, "tapedeck record --help"},
  };
  for (const Row& row : rows) {
    CAPTURE(text_of(row.args));
    const std::string detail = refusal(row.args);
    CHECK(detail.find(row.hint) != std::string::npos);
    CHECK(detail.find("hunter2") == std::string::npos);
    CHECK(detail.find('\n') == std::string::npos);
  }
}

TEST_CASE("help and version are answers, wherever help is asked for") {
  CHECK(parsed<HelpCommand>({"--help"}).text.find("tapedeck record -- ") != std::string::npos);
  CHECK(parsed<HelpCommand>({"help"}).text == parsed<HelpCommand>({"-h"}).text);
  CHECK(parsed<HelpCommand>({"help", "list"}).text == parsed<HelpCommand>({"list", "--help"}).text);
  CHECK(parsed<HelpCommand>({"record", "--nonsense", "-h"}).text.find("tapedeck record: ") == 0);
  parsed<VersionCommand>({"--version"});
  parsed<VersionCommand>({"-V"});
}

TEST_CASE("the help of each command names the options that matter to it and keeps to 100 columns") {
  for (const CommandRow& command : commands()) {
    CAPTURE(command.name);
    const std::string help = parsed<HelpCommand>({std::string(command.name), "--help"}).text;
    CHECK(help.find("Usage: tapedeck " + std::string(command.name)) != std::string::npos);
    CHECK(help.find("Example:\n  tapedeck ") != std::string::npos);
    for (const OptionRow& option : options()) {
      CAPTURE(option.name);
      const OptionRow* row = find_option(option.name, command.command);
      const bool listed = row != nullptr && (row->unlisted_in & set_of(command.command)) == 0;
      const bool named = help.find(" --" + std::string(option.name) +
                                   (option.value.empty() ? " " : " " + std::string(option.value))) != std::string::npos;
      CHECK(named == listed);
    }
    for (std::size_t at = 0; at < help.size();) {
      const std::size_t end = help.find('\n', at);
      REQUIRE(end != std::string::npos);
      CAPTURE(help.substr(at, end - at));
      CHECK(end - at <= 100);
      at = end + 1;
    }
  }
}

TEST_CASE("a usage failure of a wrapped command has the exit code that is never the command's own") {
  CHECK(usage_exit_code({}) == 2);
  CHECK(usage_exit_code({"record", "--nonsense"}) == 2);
  CHECK(usage_exit_code({"record", "--nonsense", "--", "true"}) == 125);
  CHECK(usage_exit_code({"record", "--"}) == 2);
  CHECK(usage_exit_code({"list", "--", "x"}) == 2);
}

TEST_CASE("misspelt variables come as warnings beside the command") {
  const auto result = parse({"record"}, {{"HOME", "/h"}, {"TAPEDECK_CASETTE", "x"}});
  REQUIRE(result.has_value());
  REQUIRE(result->warnings.size() == 1);
  CHECK(result->warnings[0].find("TAPEDECK_CASSETTE") != std::string::npos);
}
