#include <sstream>
#include <unistd.h>

#include <doctest/doctest.h>

#include "proxy/cli/commands.hpp"
#include "proxy/runtime/ready_file.hpp"
#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using tapedeck::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

struct Said {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Said ca(const fs::path& dir, CaCommand::Action action, const std::vector<std::string>& only = {}, bool force = false) {
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = make_or_show_ca({action, dir, only, force}, out, err);
  return {exit_code, out.str(), err.str()};
}

Said env(const fs::path& ready_file, const std::string& format, const Options& options = {},
         const Environment& parent = {}) {
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = print_environment({ready_file, format, options}, parent, out, err);
  return {exit_code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("a CA is made on demand, shown, and never replaced by accident") {
  using Action = CaCommand::Action;
  const TemporaryFolder folder;
  const fs::path dir = folder.path() / "ca";

  for (const Action action : {Action::show, Action::path}) {
    const Said missing = ca(dir, action);
    CHECK(missing.exit_code == 1);
    CHECK(missing.out.empty());
    CHECK(missing.err ==
          "tapedeck: error: there is no CA in " + dir.string() + " yet; make one with: tapedeck ca create\n");
  }
  CHECK(!fs::exists(dir));

  const Said made = ca(dir, Action::create, {"*.x.io"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  CHECK(made.out.find("file         " + (dir / "ca.pem").string() + "\n") == 0);
  CHECK(made.out.find("\nfingerprint  SHA-256 ") != std::string::npos);
  CHECK(made.out.find("\nexpires      20") != std::string::npos);
  const std::string option = "\nChromium     --ignore-certificate-errors-spki-list=";
  const auto key = made.out.find(option);
  REQUIRE(key != std::string::npos);
  CHECK(made.out.find("=\n", key + option.size()) == key + option.size() + 43);
  CHECK(ca(dir, Action::show).out == made.out);
  CHECK(ca(dir, Action::path).out == (dir / "ca.pem").string() + "\n");

  const Said again = ca(dir, Action::create);
  CHECK(again.exit_code == 1);
  CHECK(again.err.find("tapedeck: error: ") == 0);
  CHECK(again.err.find("--force") != std::string::npos);
  CHECK(ca(dir, Action::show).out == made.out);
  CHECK(ca(dir, Action::create, {}, true).exit_code == 0);
  CHECK(ca(dir, Action::show).out != made.out);
}

TEST_CASE("env prints what points a shell at a running tapedeck") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ready.json";
  ReadyFile ready;
  ready.pid = getpid();
  ready.proxy_url = "http://127.0.0.1:40001";
  ready.base_url = "http://127.0.0.1:40001";
  ready.base_url_tls = "https://127.0.0.1:40001";
  ready.ca_file = "/ca/ca.pem";
  ready.bundle_file = "/ca/bundle.pem";
  ready.intercepted = {"api.roaring.io"};
  REQUIRE(write_ready_file(file, ready).has_value());
  Options options;
  options.set_env = {"ROARING_API_ROOT"};

  const Said shell = env(file, "sh", options);
  CHECK(shell.exit_code == 0);
  CHECK(shell.err.empty());
  CHECK(shell.out.find("https_proxy") != std::string::npos);
  CHECK(shell.out.find("ROARING_API_ROOT") != std::string::npos);
  CHECK(shell.out.find("/ca/bundle.pem") != std::string::npos);
  CHECK(env(file, "json").out.find("\"TAPEDECK_PROXY_URL\"") != std::string::npos);

  const Said beside_exceptions = env(file, "dotenv", options, {{"no_proxy", "a.example,api.roaring.io"}});
  CHECK(beside_exceptions.out.find("a.example,localhost,127.0.0.1,::1") != std::string::npos);
  CHECK(beside_exceptions.out.find("api.roaring.io") == std::string::npos);

  const Said missing = env(folder.path() / "missing.json", "sh");
  CHECK(missing.exit_code == 1);
  CHECK(missing.out.empty());
  CHECK(missing.err.find("missing.json") != std::string::npos);
}

TEST_CASE("env warns when the process of the ready file has ended") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ready.json";
  ReadyFile ready;
  ready.pid = 0x7FFFFFFF;  // beyond the largest that Linux gives
  ready.proxy_url = ready.base_url = "http://127.0.0.1:1";
  ready.base_url_tls = "https://127.0.0.1:1";
  ready.ca_file = ready.bundle_file = "/ca/ca.pem";
  REQUIRE(write_ready_file(file, ready).has_value());
  const Said said = env(file, "sh");
  CHECK(said.exit_code == 0);
  CHECK(!said.out.empty());
  CHECK(said.err.find("tapedeck: warning: no process 2147483647 is running here") == 0);
}
