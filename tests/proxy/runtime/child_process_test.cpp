#include "proxy/runtime/child_process.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

int run(const std::vector<std::string>& command, const Environment& environment = current_environment()) {
  const pid_t pid = spawn(command, environment).value();
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return exit_code_of(status);
}

int run_script(const std::string& script) {
  return run({"sh", "-c", script});
}

}  // namespace

TEST_CASE("the exit code is the command's own, or 128 and the signal") {
  CHECK(run_script("exit 0") == 0);
  CHECK(run_script("exit 3") == 3);
  CHECK(run_script("exit 255") == 255);
  CHECK(run_script("kill -TERM $$") == 128 + SIGTERM);
  CHECK(run_script("kill -KILL $$") == 128 + SIGKILL);
}

TEST_CASE("arguments and environment arrive as they are, and nothing else does") {
  CHECK(run({"sh", "-c", "test \"$1\" = 'a b' && test \"$2\" = '*' && test $# = 2", "sh", "a b", "*"}) == 0);
  const Environment environment = {{"PATH", "/usr/bin:/bin"}, {"V", "a=b c"}};
  CHECK(run({"sh", "-c", "test \"$V\" = 'a=b c' && test -z \"$HOME\""}, environment) == 0);
}

TEST_CASE("what cannot be started is told apart as a shell tells it") {
  const TemporaryFolder folder;
  const auto script = folder.path() / "script";
  struct Row {
    const char* name;
    std::string program;
    const char* code;
  };
  std::ofstream(script) << "#!/bin/sh\nexit 0\n";
  std::ofstream(folder.path() / "lost") << "#!/no/such/interpreter\n";
  ::chmod((folder.path() / "lost").c_str(), 0755);
  const Row rows[] = {
      {"not in PATH", "tapedeck-no-such-command", "command-not-found"},
      {"no such path", "/no/such/command", "command-not-found"},
      {"no such interpreter", folder.path() / "lost", "command-not-found"},
      {"not executable", script, "command-not-executable"},
      {"a folder", folder.path(), "command-not-executable"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto refused = spawn({row.program}, current_environment());
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == row.code);
    CHECK(refused.error().detail.find(row.program) != std::string::npos);
  }
}

TEST_CASE("the command starts with signals as they are by default, in our process group") {
  // As the proxy does: broken pipes ignored, signals blocked in its threads.
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &old) == 0);
  CHECK(run_script("kill -PIPE $$; exit 0") == 128 + SIGPIPE);
  CHECK(run_script("kill -TERM $$; exit 0") == 128 + SIGTERM);
  CHECK(run_script("test $(ps -o pgid= -p $$) = " + std::to_string(::getpgrp())) == 0);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  std::signal(SIGPIPE, before);
}

TEST_CASE("an ignored hang-up stays ignored, as nohup wants it") {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  CHECK(run_script("kill -HUP $$; exit 7") == 7);
  std::signal(SIGHUP, before);
}

TEST_CASE("our own environment is read whole") {
  REQUIRE(::setenv("TAPEDECK_TEST_VARIABLE", "a=b", 1) == 0);
  CHECK(current_environment().at("TAPEDECK_TEST_VARIABLE") == "a=b");
  ::unsetenv("TAPEDECK_TEST_VARIABLE");
  CHECK_FALSE(current_environment().contains("TAPEDECK_TEST_VARIABLE"));
}
