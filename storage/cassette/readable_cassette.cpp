#include "storage/cassette/readable_cassette.hpp"

#include <chrono>
#include <sys/stat.h>

#include "storage/cassette/cassette_lock.hpp"
#include "storage/cassette/failures.hpp"
#include "storage/cassette/files.hpp"
#include "storage/cassette/private_copy.hpp"

namespace tapedeck {

namespace {

// A writer holds what a reader waits for only while it enters or leaves WAL mode.
constexpr std::chrono::milliseconds busy_timeout_ms{5000};

Result<void> check_is_file(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Failure{
          "cassette-missing", Blame::cassette,
          "there is no cassette " + file.string() + "; make it with: tapedeck record --cassette " + file.string()};
    }
    return Failure{"cassette-unreadable", Blame::cassette,
                   file.string() + " cannot be read: " + system_reason() + "; check its permissions"};
  }
  if (S_ISREG(status.st_mode)) return {};
  return Failure{"cassette-unreadable", Blame::cassette,
                 file.string() + " is " + (S_ISDIR(status.st_mode) ? "a folder" : "no regular file") +
                     "; name a file with --cassette"};
}

}  // namespace

Result<ReadableCassette> ReadableCassette::open(const std::filesystem::path& file) {
  const auto path = real_path(file);
  if (auto checked = check_is_file(path); !checked) return checked.error();
  auto database = Database::open(path, {DatabaseAccess::read, {}, busy_timeout_ms, {}});
  if (!database) return database.error();
  auto header = (*database)->read_header();
  if (!header) return header.error();
  const bool has_journal = exists_with_bytes(journal_of(path));
  if (!has_journal) {
    if (auto checked = check_header(*header, path.string()); !checked) return checked.error();
  }

  ReadableCassette cassette;
  const auto probe = probe_writer(path);
  const bool waits_for_recovery = has_journal || header->is_wal || exists_with_bytes(wal_of(path));
  cassette.is_copy = waits_for_recovery && !probe.writer_at_work;
  if (cassette.is_copy) {
    auto copy = copy_privately(**database, path);
    if (!copy) return copy.error();
    *database = std::move(*copy);
  }
  auto meta = check_schema(**database);
  if (!meta) return meta.error();
  cassette.meta = std::move(*meta);
  cassette.database = std::move(*database);
  return cassette;
}

}  // namespace tapedeck
