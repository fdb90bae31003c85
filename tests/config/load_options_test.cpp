#include "config/load_options.hpp"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

using namespace tapedeck;
namespace fs = std::filesystem;

namespace {

// A folder of its own below the system's temporary one, gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tapedeck-options-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

const Environment home{{"HOME", "/home/ada"}};

Options finished(const PartialOptions& partial, Mode mode = Mode::record, std::vector<std::string> command = {},
                 const Environment& environment = home) {
  auto options = finish_options(mode, std::move(command), partial, environment);
  REQUIRE_MESSAGE(options.has_value(), options.error().detail);
  return *options;
}

PartialOptions from_environment(const Environment& environment) {
  auto read = options_from_environment(environment);
  REQUIRE_MESSAGE(read.has_value(), read.error().detail);
  CHECK(read->warnings.empty());
  return read->options;
}

PartialOptions from_file(const std::string& json, FileFoundBy found_by = FileFoundBy::name) {
  auto read = options_from_file(json, "/project/tapedeck.json", found_by);
  REQUIRE_MESSAGE(read.has_value(), read.error().detail);
  return *read;
}

}  // namespace

TEST_CASE("with nothing set, the defaults of the contract hold") {
  const Options options = finished({});
  CHECK(options.cassette == "tapedeck.cassette");
  REQUIRE(options.listen.size() == 1);
  CHECK(options.listen[0].host == "127.0.0.1");
  CHECK(options.listen[0].port == 8484);
  CHECK(options.profiles == std::vector<std::string>{"roaring"});
  REQUIRE(options.upstream.has_value());
  CHECK(options.upstream->scheme == "https");
  CHECK(options.upstream->host == "api.roaring.io");
  CHECK(options.upstream->port == 443);
  REQUIRE(options.admin.has_value());
  CHECK(options.admin->port == 0);
  CHECK(options.miss_status == 501);
  CHECK(options.sequence == SequencePolicy::sticky);
  CHECK(options.timing.kind == Timing::Kind::none);
  CHECK(options.ca_dir == "/home/ada/.local/share/tapedeck");
  CHECK(options.recording_allowed);
}

TEST_CASE("each wait that has a name stands for those of its kind") {
  using namespace std::chrono_literals;
  const Limits defaults;
  const Limits connect = finished(from_file(R"({"connect-timeout": 3})")).limits;
  CHECK(connect.connect_timeout_ms == 3s);
  CHECK(connect.handshake_timeout_ms == 3s);
  CHECK(connect.first_byte_timeout_ms == defaults.first_byte_timeout_ms);
  const Limits response = finished(from_file(R"({"response-timeout": "0.5"})")).limits;
  CHECK(response.first_byte_timeout_ms == 500ms);
  CHECK(response.body_idle_timeout_ms == defaults.body_idle_timeout_ms);
  const Limits idle = finished(from_file(R"({"idle-timeout": 2})")).limits;
  CHECK(idle.client_idle_timeout_ms == 2s);
  CHECK(idle.body_idle_timeout_ms == 2s);
  CHECK(idle.client_head_timeout_ms == 2s);
  CHECK(idle.upstream_idle_timeout_ms == 2s);
  CHECK(idle.connect_timeout_ms == defaults.connect_timeout_ms);
  const Limits patient = finished(from_file(R"({"idle-timeout": 3600})")).limits;
  CHECK(patient.body_idle_timeout_ms == 1h);
  CHECK(patient.client_head_timeout_ms == defaults.client_head_timeout_ms);
  CHECK(patient.upstream_idle_timeout_ms == defaults.upstream_idle_timeout_ms);
  CHECK(finished(from_file(R"({"connections-max": 5})")).limits.connections_max == 5);
}

TEST_CASE("a wrapped command gets a free port") {
  const Options options = finished({}, Mode::replay, {"curl"});
  CHECK(options.listen[0].port == 0);
  CHECK(options.command == std::vector<std::string>{"curl"});
}

TEST_CASE("the profile's upstream is the default only when nobody said anything about hosts") {
  struct Row {
    const char* name;
    const char* json;
    const char* upstream;
  };
  const Row rows[] = {
      {"nothing", R"({})", "api.roaring.io"},
      {"an upstream", R"({"upstream": "http://x.io:81"})", "x.io"},
      {"a host", R"({"host": "*.x.io"})", ""},
      {"the same profile by name", R"({"profile": "roaring"})", ""},
      {"no profile", R"({"profile": "none"})", ""},
      {"a profile and an upstream", R"({"profile": "roaring", "upstream": "https://x.io"})", "x.io"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Options options = finished(from_file(row.json));
    CHECK((options.upstream ? options.upstream->host : "") == row.upstream);
  }
  CHECK(finished(from_file(R"({"profile": "none"})")).profiles.empty());
  CHECK(finished(from_file(R"({"profile": ["roaring", "roaring"]})")).profiles.size() == 1);
}

TEST_CASE("our CA lives in XDG_DATA_HOME, else below HOME, and never in a relative place") {
  CHECK(*default_ca_dir({{"XDG_DATA_HOME", "/data"}, {"HOME", "/home/ada"}}) == "/data/tapedeck");
  CHECK(*default_ca_dir({{"XDG_DATA_HOME", "data"}, {"HOME", "/home/ada"}}) == "/home/ada/.local/share/tapedeck");
  CHECK(*default_ca_dir({{"XDG_DATA_HOME", ""}, {"HOME", "/h"}}) == "/h/.local/share/tapedeck");
  CHECK(default_ca_dir({}).error().detail ==
        "neither XDG_DATA_HOME nor HOME is an absolute path, so our CA has no place; give --ca-dir DIR");
}

TEST_CASE("what can be made anew lives in XDG_CACHE_HOME, else below HOME, else nowhere") {
  CHECK(default_cache_dir({{"XDG_CACHE_HOME", "/cache"}, {"HOME", "/home/ada"}}) == "/cache/tapedeck");
  CHECK(default_cache_dir({{"XDG_CACHE_HOME", "cache"}, {"HOME", "/home/ada"}}) == "/home/ada/.cache/tapedeck");
  CHECK(default_cache_dir({{"HOME", "ada"}}).empty());
}

TEST_CASE("a source hides the ones below it, setting by setting") {
  PartialOptions command_line;
  command_line.miss_status = 502;
  const PartialOptions environment = from_environment({{"TAPEDECK_MISS_STATUS", "503"},
                                                       {"TAPEDECK_HOST", "a.x.io, b.x.io"},
                                                       {"TAPEDECK_SESSION", "alice"},
                                                       {"TAPEDECK_MARK", "0"}});
  const PartialOptions file =
      from_file(R"({"miss-status": 504, "host": ["c.x.io"], "session": "bob", "mark": true, "durable": true})");
  const PartialOptions all = layered(layered(command_line, environment), file);
  CHECK(all.miss_status == 502);
  CHECK(all.hosts == std::vector<std::string>{"a.x.io", "b.x.io"});
  CHECK(all.session == "alice");
  CHECK(all.mark == false);
  CHECK(all.durable == true);
}

TEST_CASE("every option is an environment variable") {
  const Options options = finished(from_environment({{"TAPEDECK_CASSETTE", "c.cassette"},
                                                     {"TAPEDECK_LISTEN", "9000 [::1]:9001"},
                                                     {"TAPEDECK_CONNECT_TO", "a:443:b:8443,c:1:d:2"},
                                                     {"TAPEDECK_UPSTREAM_INSECURE", "true"},
                                                     {"TAPEDECK_ADMIN", "off"},
                                                     {"TAPEDECK_KEEP_ERRORS", "1"},
                                                     {"TAPEDECK_QUIET", "1"},
                                                     {"TAPEDECK_TIMING", "x2.5"},
                                                     {"TAPEDECK_LOG_FORMAT", "json"},
                                                     {"TAPEDECK_REPLACE", "yes"},
                                                     {"TAPEDECK_SESSION", ""},
                                                     {"TAPEDECK_PROXY_URL", "http://127.0.0.1:1"},
                                                     {"HOME", "/h"}}));
  CHECK(options.cassette == "c.cassette");
  CHECK(options.listen.size() == 2);
  CHECK(options.listen[1].host == "::1");
  REQUIRE(options.connect_to.size() == 2);
  CHECK(options.connect_to[1].to_port == 2);
  CHECK(options.upstream_insecure);
  CHECK(!options.admin.has_value());
  CHECK(options.keep_errors);
  CHECK(options.verbosity == -1);
  CHECK(options.timing.scale == 2.5);
  CHECK(options.log_json);
  CHECK(options.take_disposition == TakeDisposition::replace_file);
  CHECK(options.session == "default");
}

TEST_CASE("a variable that is wrong is refused by its name, one that is misspelt is warned of") {
  const auto wrong = options_from_environment({{"TAPEDECK_MISS_STATUS", "99"}});
  REQUIRE(!wrong.has_value());
  CHECK(wrong.error().detail == "TAPEDECK_MISS_STATUS: \"99\" is out of range; write one from 400 to 599");
  const auto both = options_from_environment({{"TAPEDECK_NEW", "1"}, {"TAPEDECK_REPLACE", "1"}});
  REQUIRE(!both.has_value());
  CHECK(both.error().detail == "TAPEDECK_REPLACE: excludes the other one that is given too; leave one of them out");
  const auto misspelt = options_from_environment({{"TAPEDECK_CASETTE", "x"}, {"TAPEDECK_FAVOURITE_COLOUR", "y"}});
  REQUIRE(misspelt.has_value());
  CHECK(misspelt->warnings ==
        std::vector<std::string>{"TAPEDECK_CASETTE is no option and has no effect; did you mean TAPEDECK_CASSETTE?"});
}

TEST_CASE("paths of a config file are relative to the file") {
  const PartialOptions options =
      from_file(R"({"cassette": "tapes/a.cassette", "report": "/tmp/r.json", "ca-dir": "../ca"})");
  CHECK(*options.cassette == "/project/tapes/a.cassette");
  CHECK(*options.report == "/tmp/r.json");
  CHECK(*options.ca_dir == "/ca");
}

TEST_CASE("a config file that is wrong is refused with the key and the mend") {
  struct Row {
    const char* name;
    const char* json;
    const char* detail;
  };
  const Row rows[] = {
      {"near key", R"({"casette": "x"})", R"(/p/t.json: there is no key "casette"; did you mean "cassette"?)"},
      {"a key twice", R"({"mark": true, "mark": false})", R"(/p/t.json: has the key "mark" twice; keep one)"},
      {"switch as text", R"({"mark": "yes"})", R"(/p/t.json: "mark" must be true or false)"},
      {"value as list", R"({"cassette": []})", R"(/p/t.json: "cassette" must be a text)"},
      {"value a number", R"({"cassette": 7})", R"(/p/t.json: "cassette" must be a text)"},
      {"number a switch", R"({"miss-status": true})", R"(/p/t.json: "miss-status" must be a text or a whole number)"},
      {"number with a fraction", R"({"workers": 1.5})", R"(/p/t.json: "workers" must be a text or a whole number)"},
      {"value null", R"({"cassette": null})", R"(/p/t.json: "cassette" must be a text)"},
      {"list of lists", R"({"host": [["x.io"]]})", R"(/p/t.json: "host" must be a text, or a list of such)"},
      {"empty path", R"({"cassette": ""})", R"(/p/t.json: "cassette": "" is no path; write one)"},
      {"bad value", R"({"record": "never"})",
       R"(/p/t.json: "record": "never" is none of new, once and all; choose one of them)"},
      {"config in a config", R"({"config": "x"})", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto read = options_from_file(row.json, "/p/t.json", FileFoundBy::name);
    REQUIRE(!read.has_value());
    if (row.detail != nullptr) CHECK(read.error().detail == row.detail);
  }
}

TEST_CASE("a file found by search may not decide where traffic and credentials go") {
  struct Row {
    const char* json;
    bool allowed;
  };
  const Row rows[] = {
      {R"({"upstream": "https://evil.com"})", false},
      {R"({"connect-to": ["api.roaring.io:443:evil.com:443"]})", false},
      {R"({"upstream-ca": "evil.pem"})", false},
      {R"({"upstream-insecure": true})", false},
      {R"({"ca-dir": "ca"})", false},
      {R"({"allow-remote": true})", false},
      {R"({"listen": ["127.0.0.1:1", "0.0.0.0:2"]})", false},
      {R"({"listen": "[::]:2"})", false},
      {R"({"admin": "192.168.0.1:2"})", false},
      {R"({"listen": ["127.0.0.1:1", "[::1]:2"], "admin": "off"})", true},
      {R"({"cassette": "a", "host": "*.x.io", "profile": "none", "session": "s", "timing": "recorded"})", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.json);
    CHECK(options_from_file(row.json, "/p/t.json", FileFoundBy::name).has_value());
    CHECK(options_from_file(row.json, "/p/t.json", FileFoundBy::search).has_value() == row.allowed);
  }
  CHECK(options_from_file(rows[0].json, "/p/t.json", FileFoundBy::search).error().detail ==
        "/p/t.json: \"upstream\" may not be set by a file that was found by search; give it on the command line, or "
        "name the file with --config");
}

TEST_CASE("what does not go together is refused by name") {
  struct Row {
    const char* name;
    const char* json;
    Mode mode;
    const char* detail;
  };
  const Row rows[] = {
      {"remote listener", R"({"listen": "0.0.0.0:80"})", Mode::record,
       "--listen 0.0.0.0:80 can be reached from other machines; add --allow-remote, or listen on 127.0.0.1:80"},
      {"remote IPv6 listener", R"({"listen": "[::]:80"})", Mode::replay,
       "--listen [::]:80 can be reached from other machines; add --allow-remote, or listen on 127.0.0.1:80"},
      {"remote admin", R"({"admin": "0.0.0.0:80"})", Mode::record,
       "--admin 0.0.0.0:80 can be reached from other machines; add --allow-remote, or listen on 127.0.0.1:80"},
      {"none and another", R"({"profile": ["none", "roaring"]})", Mode::record,
       "--profile none excludes every other profile; leave one of them out"},
      {"unknown profile", R"({"profile": "rorring"})", Mode::record,
       "--profile: there is no profile \"rorring\"; there are roaring and none, did you mean roaring?"},
      {"record --ci", R"({"ci": true})", Mode::record,
       "--ci only reads a cassette; use it with replay or auto, not with record"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto options = finish_options(row.mode, {}, from_file(row.json), home);
    REQUIRE(!options.has_value());
    CHECK(options.error().detail == row.detail);
  }
  CHECK(finished(from_file(R"({"listen": "0.0.0.0:80", "allow-remote": true})")).listen[0].host == "0.0.0.0");
}

TEST_CASE("auto records in CI only when it is told to") {
  struct Row {
    const char* name;
    const char* ci_variable;
    const char* json;
    Mode mode;
    bool allowed;
  };
  const Row rows[] = {
      {"auto at home", "", R"({})", Mode::auto_, true},
      {"auto, CI=false", "false", R"({})", Mode::auto_, true},
      {"auto, CI=true", "true", R"({})", Mode::auto_, false},
      {"auto, CI=1", "1", R"({})", Mode::auto_, false},
      {"auto --ci", "", R"({"ci": true})", Mode::auto_, false},
      {"auto --record-in-ci", "true", R"({"record-in-ci": true})", Mode::auto_, true},
      {"record in CI", "true", R"({})", Mode::record, true},
      {"replay", "", R"({})", Mode::replay, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Environment environment = home;
    environment["CI"] = row.ci_variable;
    CHECK(finished(from_file(row.json), row.mode, {}, environment).recording_allowed == row.allowed);
  }
}

TEST_CASE("the config file is searched upwards to the repository's root") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write(root / "tapedeck.json", R"({"session": "outside"})");
  write(root / "repo/.git/HEAD", "");
  fs::create_directories(root / "repo/a/b");
  CHECK(!find_config_file(root / "repo/a/b").has_value());
  write(root / "repo/tapedeck.json", R"({"session": "root"})");
  CHECK(find_config_file(root / "repo/a/b") == root / "repo/tapedeck.json");
  write(root / "repo/a/tapedeck.json", R"({"session": "nearer"})");
  CHECK(find_config_file(root / "repo/a/b") == root / "repo/a/tapedeck.json");

  const auto found = load_partial_options({}, home, root / "repo/a/b");
  REQUIRE(found.has_value());
  CHECK(found->options.session == "nearer");
  CHECK(found->config_file == root / "repo/a/tapedeck.json");

  PartialOptions named;
  named.config = "../../../tapedeck.json";
  const auto by_name = load_partial_options(named, home, root / "repo/a/b");
  REQUIRE(by_name.has_value());
  CHECK(by_name->options.session == "outside");
}

TEST_CASE("outside a repository only the folder one stands in is looked at") {
  const TemporaryFolder folder;
  write(folder.path() / "tapedeck.json", "{}");
  fs::create_directories(folder.path() / "a");
  CHECK(find_config_file(folder.path()) == folder.path() / "tapedeck.json");
  CHECK(!find_config_file(folder.path() / "a").has_value());
}

TEST_CASE("a config file that was named and cannot be read is refused") {
  const TemporaryFolder folder;
  PartialOptions named;
  named.config = "missing.json";
  auto read = load_partial_options(named, home, folder.path());
  REQUIRE(!read.has_value());
  CHECK(read.error().detail == "config \"" + (folder.path() / "missing.json").string() +
                                   "\" cannot be read; check the path and its permissions");
  named.config = ".";
  read = load_partial_options(named, home, folder.path());
  REQUIRE(!read.has_value());
  CHECK(read.error().detail.find("is a folder; name a JSON file") != std::string::npos);
}

TEST_CASE("a secret is a value, or the name of the variable that holds it") {
  const Environment environment{{"HOME", "/h"}, {"API_KEY", "k-value-1"}, {"_Old_Key2", "k-value-2"}};
  PartialOptions partial;
  partial.secrets = {"hunter2, and more", "env:API_KEY", "env:_Old_Key2"};
  const Options options = finished(partial, Mode::record, {}, environment);
  REQUIRE(options.secrets.size() == 3);
  CHECK(options.secrets[0].value == "hunter2, and more");
  CHECK(options.secrets[0].placeholder_class == "secret");
  CHECK(options.secrets[1].value == "k-value-1");
  CHECK(options.secrets[1].placeholder_class == "secret-api-key");
  CHECK(options.secrets[2].value == "k-value-2");
  CHECK(options.secrets[2].placeholder_class == "secret--old-key2");

  partial.secrets = {"env:" + std::string(80, 'K')};
  const auto long_name = finished(partial, Mode::replay, {}, {{"HOME", "/h"}, {std::string(80, 'K'), "value"}});
  CHECK(long_name.secrets.at(0).placeholder_class.size() == 64);
}

TEST_CASE("the secrets of every source add up, so that none is forgotten") {
  PartialOptions command_line;
  command_line.secrets = {"first"};
  const PartialOptions from_variable = from_environment({{"TAPEDECK_SECRET", "se cond, with,commas"}});
  const PartialOptions file = from_file(R"({"secret": ["third", "env:FOURTH"]})");
  const PartialOptions all = layered(layered(command_line, from_variable), file);
  CHECK(*all.secrets == std::vector<std::string>{"first", "se cond, with,commas", "third", "env:FOURTH"});
  CHECK(*from_environment({{"TAPEDECK_SECRET", "env:A, env:B"}}).secrets == std::vector<std::string>{"env:A", "env:B"});
  CHECK(*layered({}, file).secrets == std::vector<std::string>{"third", "env:FOURTH"});
}

TEST_CASE("a secret that cannot be used is refused without a word of it") {
  const auto by_options = [](const std::string& secret, const Environment& environment) {
    PartialOptions partial;
    partial.secrets = {secret};
    const auto options = finish_options(Mode::record, {}, partial, environment);
    return options ? std::string() : options.error().detail;
  };
  CHECK(by_options("env:API_KEY", home) ==
        "the secret env:API_KEY has no value, since the variable API_KEY is unset or empty; set it, or leave the "
        "secret out");
  CHECK(by_options("env:API_KEY", {{"HOME", "/h"}, {"API_KEY", ""}}) == by_options("env:API_KEY", home));
  CHECK(by_options("env:API_KEY", {{"HOME", "/h"}, {"API_KEY", "qzx"}}) ==
        "the variable API_KEY of the secret env:API_KEY holds under 4 characters, which would be found where no secret "
        "is; leave it out");

  struct Row {
    const char* name;
    const char* json;
    FileFoundBy found_by;
    const char* detail;
  };
  const Row rows[] = {
      {"short", R"({"secret": "qzx"})", FileFoundBy::name,
       R"(/p/t.json: "secret": a secret of under 4 characters would be found where none is; give a longer one, or leave )"
       "it out"},
      {"no name", R"({"secret": "env:qzx-1"})", FileFoundBy::name,
       R"(/p/t.json: "secret": env: needs the name of a variable behind it; write letters, digits and '_', as in )"
       "env:API_KEY"},
      {"in a file found by search", R"({"secret": ["env:GOOD", "qzx-hunter2"]})", FileFoundBy::search,
       R"(/p/t.json: "secret" holds a secret itself, in a file that is shared; put the secret into a variable and write )"
       "env:NAME here"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto read = options_from_file(row.json, "/p/t.json", row.found_by);
    REQUIRE(!read.has_value());
    CHECK(read.error().detail == row.detail);
    CHECK(read.error().detail.find("qzx") == std::string::npos);
  }
  CHECK(options_from_file(R"({"secret": "env:GOOD"})", "/p/t.json", FileFoundBy::search).has_value());
  const auto variable = options_from_environment({{"TAPEDECK_SECRET", "qzx"}});
  REQUIRE(!variable.has_value());
  CHECK(variable.error().detail.find("qzx") == std::string::npos);
}
