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
  if (auto checked = check_header(*header, path.string()); !checked) return checked.error();

  ReadableCassette cassette;
  const auto probe = probe_writer(path);
  const bool waits_for_recovery = header->is_wal || has_wal(path) || has_hot_journal(path);
  cassette.writer_at_work = probe.writer_at_work;
  if (!waits_for_recovery) {
    if (auto checked = check_whole_pages(*header, path.string()); !checked) return checked.error();
  }
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
