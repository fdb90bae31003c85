#include "storage/cassette/failures.hpp"
#include "storage/cassette/files.hpp"
#include "storage/cassette/writable_cassette.hpp"

namespace tapedeck {

namespace {

// SQLite applies a -wal to whatever file has its name, so one of the old cassette would garble the new one.
Result<void> recover_before_replacing(const std::filesystem::path& target, std::chrono::milliseconds lock_wait_ms) {
  if (!has_wal(target) && !has_hot_journal(target)) return {};
  WriterOptions options;
  options.lock_wait_ms = lock_wait_ms;
  auto old = WritableCassette::open(target, options);
  if (!old) return old.error();
  return (*old)->close();
}

}  // namespace

Result<void> replace_cassette(const std::filesystem::path& finished, const std::filesystem::path& target,
                              std::chrono::milliseconds lock_wait_ms) {
  const auto real_target = real_path(target);
  if (auto recovered = recover_before_replacing(real_target, lock_wait_ms); !recovered) return recovered;
  auto lock = CassetteLock::take(real_target, lock_wait_ms, system_pause);
  if (!lock) return lock.error();
  std::error_code error;
  std::filesystem::rename(real_path(finished), real_target, error);
  if (error) return cassette_unwritable(real_target.string(), error.message());
  std::filesystem::remove(wal_of(real_target), error);
  std::filesystem::remove(shm_of(real_target), error);
  sync_folder_of(real_target);
  return {};
}

}  // namespace tapedeck
