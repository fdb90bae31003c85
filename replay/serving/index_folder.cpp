#include "replay/serving/index_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "storage/cassette/unique_fd.hpp"

namespace tapedeck {

namespace {

namespace fs = std::filesystem;

// What a run left that was killed while it wrote.
constexpr const char* unfinished_mark = ".new-";
constexpr auto unfinished_age_max = std::chrono::hours(24);

Failure unwritable(const fs::path& file, int error) {
  return {"index-unwritable", Blame::us,
          file.string() + " cannot be written: " + std::system_category().message(error)};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::optional<IndexBytes> IndexFolder::map(const std::string& name) const {
  const UniqueFd fd(::open(file(name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) return std::nullopt;
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) return std::nullopt;
  const auto bytes = static_cast<std::size_t>(status.st_size);
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return std::nullopt;
  // When it was used last; a file system that does not say so only makes forget_oldest() choose otherwise.
  const timespec now_and_as_it_was[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
  (void)::futimens(fd.get(), now_and_as_it_was);
  return IndexBytes{{static_cast<const char*>(mapped), bytes},
                    std::shared_ptr<const void>(mapped, [mapped, bytes](const void*) { ::munmap(mapped, bytes); })};
}

Result<void> IndexFolder::make() const {
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (error) return unwritable(path_, error.value());
  if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) return unwritable(path_, errno);
  return {};
}

Result<void> IndexFolder::write(const std::string& name, std::uint64_t bytes,
                                const std::function<bool(const IndexSink&)>& write_image) const {
  if (auto made = make(); !made) return made;
  const auto target = file(name);
  // Of a random name: containers that share a folder may share process numbers, too.
  auto unfinished = target.string() + unfinished_mark + "XXXXXX";
  const UniqueFd fd(::mkostemp(unfinished.data(), O_CLOEXEC));
  if (!fd) return unwritable(target, errno);
  // A full disk is known before anything is written.
  int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes));
  if (error == EOPNOTSUPP || error == EINVAL) error = 0;
  if (error == 0) {
    errno = 0;
    const auto sink = [&fd](std::string_view piece) { return write_all(fd.get(), piece); };
    const bool written =
        write_image(sink) && ::fsync(fd.get()) == 0 && ::rename(unfinished.c_str(), target.c_str()) == 0;
    if (!written) error = errno != 0 ? errno : EIO;
  }
  if (error != 0) {
    ::unlink(unfinished.c_str());
    return unwritable(target, error);
  }
  forget_oldest();
  return {};
}

void IndexFolder::drop(const std::string& name) const {
  ::unlink(file(name).c_str());
}

void IndexFolder::forget_oldest() const {
  std::vector<std::pair<std::int64_t, fs::path>> files;
  std::error_code error;
  const auto now = std::chrono::system_clock::now();
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
    struct stat status {};
    const auto& path = entry->path();
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const auto age = now - std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
    const bool unfinished = path.filename().string().find(unfinished_mark) != std::string::npos;
    if (unfinished && age > unfinished_age_max) ::unlink(path.c_str());
    if (path.extension() == suffix) files.emplace_back(std::max(status.st_atim.tv_sec, status.st_mtim.tv_sec), path);
  }
  if (files.size() <= files_max) return;
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i < files.size() - files_max; ++i) ::unlink(files[i].second.c_str());
}

}  // namespace tapedeck
