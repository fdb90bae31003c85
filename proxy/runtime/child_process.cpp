#include "proxy/runtime/child_process.hpp"

#include <cassert>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tapedeck {
namespace {

// A child must not inherit what we do with signals. Handlers are undone by exec; what we ignore and what our threads
// block is not. An interrupt or hang-up that our own parent had us ignore (nohup, a shell's background) stays so.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGCHLD);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Failure spawn_failure(const std::string& program, int error) {
  const std::string reason = std::system_category().message(error);
  switch (error) {
    case ENOENT:
      return {"command-not-found", Blame::us,
              program + ": not found; give its path, or check PATH (for a script: its interpreter)"};
    case EAGAIN:
    case ENOMEM:
      return {"spawn-failed", Blame::us, program + " cannot be started: " + reason};
    default:
      return {"command-not-executable", Blame::us, program + " cannot be executed: " + reason};
  }
}

}  // namespace

Environment current_environment() {
  Environment environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view line = *entry;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    // Of a name given twice the first counts, as getenv has it.
    environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return environment;
}

Result<pid_t> spawn(const std::vector<std::string>& command, const Environment& environment) {
  assert(!command.empty());
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  const SpawnAttributes attributes;
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, command.front().c_str(), nullptr, attributes.get(), pointers_to(command).data(),
                                 pointers_to(lines).data());
  if (error != 0) return spawn_failure(command.front(), error);
  return pid;
}

void keep_from_children(int descriptor) {
  (void)::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

int exit_code_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return 128 + WTERMSIG(wait_status);
  return WEXITSTATUS(wait_status);
}

}  // namespace tapedeck
