#include "proxy/runtime/small_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <system_error>

#include "storage/cassette/unique_fd.hpp"

namespace tapedeck {
namespace {

Failure file_failure(std::string code, const std::filesystem::path& file, std::string_view what) {
  return {std::move(code), Blame::us, file.string() + " " + std::string(what)};
}

std::string system_reason() {
  return std::system_category().message(errno);
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string temporary_beside(const std::filesystem::path& file) {
  std::random_device random;
  return (file.parent_path() / ("." + file.filename().string() + "." + std::to_string(random()))).string();
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& file, std::size_t bytes_max) {
  // O_NONBLOCK: a FIFO put in the file's place must not hang the start.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return file_failure("file-missing", file, "does not exist");
    return file_failure("file-unreadable", file, "cannot be read: " + system_reason());
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return file_failure("file-unreadable", file, "cannot be read: it is not a regular file");
  }
  std::string content;
  std::array<char, 16 * 1024> piece;
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_failure("file-unreadable", file, "cannot be read: " + system_reason());
    if (got == 0) return {boost::system::in_place_value, std::move(content)};
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (content.size() > bytes_max) {
      return file_failure("file-too-large", file, "is larger than " + std::to_string(bytes_max) + " bytes");
    }
  }
}

Result<void> write_file_atomically(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  const std::string temporary = temporary_beside(file);
  {
    const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return file_failure("file-unwritable", file, "cannot be written: " + system_reason());
    if (!write_all(fd.get(), content) || ::fsync(fd.get()) != 0) {
      const Failure failure = file_failure("file-unwritable", file, "cannot be written: " + system_reason());
      ::unlink(temporary.c_str());
      return failure;
    }
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    const Failure failure = file_failure("file-unwritable", file, "cannot be written: " + system_reason());
    ::unlink(temporary.c_str());
    return failure;
  }
  return {};
}

Result<void> write_file_if_changed(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  const Result<std::string> present = read_small_file(file, content.size());
  if (present && *present == content) return {};
  return write_file_atomically(file, content, mode);
}

}  // namespace tapedeck
