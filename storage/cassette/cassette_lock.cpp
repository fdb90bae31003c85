#include "storage/cassette/cassette_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/cassette/failures.hpp"

namespace tapedeck {

namespace {

constexpr std::chrono::milliseconds try_interval_ms{20};

std::filesystem::path lock_file_of(std::filesystem::path cassette) {
  cassette += ".lock";
  return cassette;
}

// A holder removes the file while it has the lock; whoever waited then has the lock of a file that nobody sees.
bool is_still_there(const UniqueFd& fd, const std::filesystem::path& file) {
  struct stat opened {
  }, named{};
  return ::fstat(fd.get(), &opened) == 0 && ::stat(file.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

bool write_pid(const UniqueFd& fd) {
  const std::string text = std::to_string(::getpid()) + "\n";
  return ::ftruncate(fd.get(), 0) == 0 &&
         ::pwrite(fd.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

std::string holder_named_in(const UniqueFd& fd) {
  std::string text(20, '\0');
  const auto size = ::pread(fd.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  text.resize(std::min(text.size(), text.find('\n')));
  const bool is_pid = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return is_pid ? "process " + text : "another process";
}

}  // namespace

Result<std::unique_ptr<CassetteLock>> CassetteLock::take(const std::filesystem::path& cassette,
                                                         std::chrono::milliseconds wait_ms, const Pause& pause) {
  const auto file = lock_file_of(cassette);
  for (auto waited = std::chrono::milliseconds{0};;) {
    UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
    if (!fd) return cassette_unwritable(cassette.string(), "its lock file: " + system_reason());
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
      if (!is_still_there(fd, file)) continue;
      if (!write_pid(fd)) return cassette_unwritable(cassette.string(), "its lock file: " + system_reason());
      return std::unique_ptr<CassetteLock>(new CassetteLock(file, std::move(fd)));
    }
    if (errno != EWOULDBLOCK) return cassette_unwritable(cassette.string(), "its lock file: " + system_reason());
    if (waited >= wait_ms) {
      return Failure{"cassette-busy", Blame::us,
                     cassette.string() + " is being recorded into by " + holder_named_in(fd) +
                         "; wait for it to finish, or stop it, or name another file with --cassette"};
    }
    pause(try_interval_ms);
    waited += try_interval_ms;
  }
}

CassetteLock::~CassetteLock() {
  if (is_still_there(fd_, file_)) ::unlink(file_.c_str());
}

WriterProbe probe_writer(const std::filesystem::path& cassette) {
  const auto file = lock_file_of(cassette);
  WriterProbe probe;
  probe.hold = UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (probe.hold) probe.writer_at_work = ::flock(probe.hold.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  return probe;
}

}  // namespace tapedeck
