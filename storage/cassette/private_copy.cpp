#include "storage/cassette/private_copy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/cassette/failures.hpp"
#include "storage/cassette/files.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t block_bytes = 1024 * 1024;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "tapedeck-XXXXXX").string();
    if (!error && ::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Failure no_room(const std::filesystem::path& file) {
  return {"cassette-hot-wal", Blame::cassette,
          file.string() +
              " waits for recovery after a run that was killed, and a copy to read it from cannot be made: " +
              system_reason() + "; set TMPDIR to a folder with room, or record into it once more"};
}

bool write_all(const UniqueFd& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(to.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

UniqueFd create(const std::filesystem::path& file) {
  return UniqueFd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

Result<void> copy_main_file(Database& source, const std::filesystem::path& from, const std::filesystem::path& to) {
  auto header = source.read_header();
  if (!header) return header.error();
  const auto out = create(to);
  if (!out) return no_room(from);
  for (std::uint64_t at = 0; at < header->file_size; at += block_bytes) {
    auto block = source.read_raw(at, std::min<std::uint64_t>(block_bytes, header->file_size - at));
    if (!block) return block.error();
    if (!write_all(out, *block)) return no_room(from);
  }
  return {};
}

// SQLite holds no locks on these, so they may be opened and closed.
Result<void> copy_beside(const std::filesystem::path& from, const std::filesystem::path& to,
                         const std::filesystem::path& cassette) {
  const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!in && errno == ENOENT) return {};
  struct stat status {};
  if (!in || ::fstat(in.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Failure{
        "cassette-unreadable", Blame::cassette,
        from.string() + " holds what a run that was killed recorded, and cannot be read; check its permissions"};
  }
  const auto out = create(to);
  if (!out) return no_room(cassette);
  std::string block(block_bytes, '\0');
  while (true) {
    const auto size = ::read(in.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return no_room(cassette);
    if (size == 0) return {};
    if (!write_all(out, std::string_view(block).substr(0, static_cast<std::size_t>(size)))) return no_room(cassette);
  }
}

// Sizes and times of the files: what has changed since the copy was begun is seen here.
using Signature = std::array<std::int64_t, 9>;

Signature signature_of(const std::filesystem::path& cassette) {
  Signature signature{};
  std::size_t at = 0;
  for (const auto& file : {cassette, wal_of(cassette), journal_of(cassette)}) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) status = {};
    signature[at++] = status.st_size;
    signature[at++] = status.st_mtim.tv_sec;
    signature[at++] = status.st_mtim.tv_nsec;
  }
  return signature;
}

Result<void> copy_files(Database& source, const std::filesystem::path& file, const std::filesystem::path& copy) {
  const auto before = signature_of(file);
  if (names_super_journal(journal_of(file))) return cassette_corrupt(file.string(), "its journal names another file");
  if (auto copied = copy_main_file(source, file, copy); !copied) return copied;
  if (auto copied = copy_beside(wal_of(file), wal_of(copy), file); !copied) return copied;
  if (auto copied = copy_beside(journal_of(file), journal_of(copy), file); !copied) return copied;
  if (signature_of(file) == before) return {};
  return Failure{"cassette-busy", Blame::us, file.string() + " changed while it was read; try again"};
}

}  // namespace

Result<std::unique_ptr<Database>> copy_privately(Database& source, const std::filesystem::path& file) {
  const TemporaryFolder folder;
  if (folder.path().empty()) return no_room(file);
  const auto copy = folder.path() / "cassette";
  if (auto copied = copy_files(source, file, copy); !copied) return copied.error();
  auto opened = Database::open(copy, {DatabaseAccess::write, {}, {}, file});
  if (!opened) return opened.error();
  // Exclusive: nobody else knows the copy, and SQLite then makes no -shm file. Once out of WAL mode it needs no other
  // file, so the folder can go while the connection stays.
  auto recovered = (*opened)->execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE;"
      "PRAGMA query_only = ON");
  if (!recovered) return recovered.error();
  return opened;
}

}  // namespace tapedeck
