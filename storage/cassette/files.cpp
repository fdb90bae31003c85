#include "storage/cassette/files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tapedeck {

namespace {

std::filesystem::path with_suffix(std::filesystem::path file, const char* suffix) {
  file += suffix;
  return file;
}

}  // namespace

std::filesystem::path wal_of(const std::filesystem::path& cassette) {
  return with_suffix(cassette, "-wal");
}

std::filesystem::path shm_of(const std::filesystem::path& cassette) {
  return with_suffix(cassette, "-shm");
}

std::filesystem::path journal_of(const std::filesystem::path& cassette) {
  return with_suffix(cassette, "-journal");
}

std::filesystem::path real_path(const std::filesystem::path& file) {
  std::error_code error;
  auto real = std::filesystem::weakly_canonical(file, error);
  return error ? std::filesystem::absolute(file, error) : real;
}

bool has_hot_journal(const std::filesystem::path& cassette) {
  struct stat status {};
  return ::stat(journal_of(cassette).c_str(), &status) == 0 && status.st_size > 0;
}

bool has_wal(const std::filesystem::path& cassette) {
  struct stat status {};
  return ::lstat(wal_of(cassette).c_str(), &status) == 0;
}

bool names_super_journal(const std::filesystem::path& journal) {
  constexpr std::array<unsigned char, 8> magic{0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
  const UniqueFd file(::open(journal.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || status.st_size < 512 + 8) return false;
  std::array<unsigned char, 8> end{};
  if (::pread(file.get(), end.data(), end.size(), status.st_size - 8) != 8) return false;
  return end == magic;
}

void sync_folder_of(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const UniqueFd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync folders; there is nothing more that could be done then.
  if (opened) (void)::fsync(opened.get());
}

std::string system_reason() {
  return std::strerror(errno);
}

}  // namespace tapedeck
