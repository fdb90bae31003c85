#include "proxy/tls/authority_folder.hpp"

#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <system_error>

#include "proxy/runtime/small_file.hpp"

namespace tapedeck {
namespace {

constexpr std::size_t key_file_bytes_max = 64 * 1024;

Failure folder_failure(std::string code, const std::filesystem::path& path, const std::string& what) {
  return {std::move(code), Blame::us, path.string() + " " + what};
}

std::string system_reason() {
  return std::system_category().message(errno);
}

Failure symlink_failure(const std::filesystem::path& path) {
  return folder_failure("ca-symlink", path,
                        "is a symbolic link, which could lead anywhere; name the real place with --ca-dir");
}

// What is secret must belong to who runs us and be closed to all others.
Result<void> check_private(const std::filesystem::path& path, const struct stat& status, const char* mended_mode) {
  if (status.st_uid != ::geteuid()) {
    return folder_failure("ca-foreign-owner", path,
                          "belongs to user " + std::to_string(status.st_uid) + " and tapedeck runs as user " +
                              std::to_string(::geteuid()) + "; name a folder of your own with --ca-dir");
  }
  if ((status.st_mode & 077) != 0) {
    return folder_failure(
        "ca-readable-by-others", path,
        "is open to other users; close it with: chmod " + std::string(mended_mode) + " " + path.string());
  }
  return {};
}

}  // namespace

Result<AuthorityFolder> AuthorityFolder::open(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(dir, error).lexically_normal();
  // With a slash at its end a symlink would be followed.
  if (!path.has_filename()) path = path.parent_path();
  if (error || dir.empty()) return Failure{"ca-unusable", Blame::us, "no folder for the CA; name one with --ca-dir"};

  std::filesystem::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return folder_failure("ca-unusable", path, "cannot be made: " + system_reason() + "; name another with --ca-dir");
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) return symlink_failure(path);
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    return folder_failure("ca-unusable", path, "cannot be opened: " + system_reason() + "; name another with --ca-dir");
  }
  if (auto closed = check_private(path, status, "700"); !closed) return closed.error();
  return AuthorityFolder(std::move(path), std::move(fd));
}

Result<std::optional<std::string>> AuthorityFolder::read_key_file() const {
  const std::filesystem::path file = path_ / key_file_name;
  // Looked at through the descriptor that is read, so that nothing can be put in its place between.
  const UniqueFd fd(::openat(fd_.get(), key_file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::optional<std::string>();
    if (errno == ELOOP) return symlink_failure(file);
    return folder_failure("ca-unusable", file, "cannot be read: " + system_reason());
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return folder_failure("ca-unusable", file, "is not a regular file");
  }
  if (auto closed = check_private(file, status, "600"); !closed) return closed.error();
  std::string text(key_file_bytes_max, '\0');
  const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
  if (got < 0) return folder_failure("ca-unusable", file, "cannot be read: " + system_reason());
  text.resize(static_cast<std::size_t>(got));
  return std::optional<std::string>(std::move(text));
}

Result<bool> AuthorityFolder::put_key_file(std::string_view text, bool replace) const {
  const std::filesystem::path file = path_ / key_file_name;
  std::random_device random;
  const std::string temporary =
      std::string(".") + key_file_name + "." + std::to_string(random()) + std::to_string(random());
  const auto failed = [&] {
    const Failure failure = folder_failure("ca-unusable", file, "cannot be written: " + system_reason());
    ::unlinkat(fd_.get(), temporary.c_str(), 0);
    return failure;
  };

  const UniqueFd fd(::openat(fd_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return failed();
  const ssize_t written = ::write(fd.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || ::fsync(fd.get()) != 0) return failed();
  if (replace) {
    if (::renameat(fd_.get(), temporary.c_str(), fd_.get(), key_file_name) != 0) return failed();
    return true;
  }
  if (::linkat(fd_.get(), temporary.c_str(), fd_.get(), key_file_name, 0) != 0) {
    if (errno != EEXIST) return failed();
    ::unlinkat(fd_.get(), temporary.c_str(), 0);
    return false;
  }
  ::unlinkat(fd_.get(), temporary.c_str(), 0);
  return true;
}

Result<void> AuthorityFolder::derive_certificate_file(std::string_view pem) const {
  return write_file_if_changed(path_ / certificate_file_name, pem, 0644);
}

}  // namespace tapedeck
