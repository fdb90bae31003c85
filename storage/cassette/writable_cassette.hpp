#pragma once

#include <filesystem>
#include <memory>

#include "storage/cassette/cassette_lock.hpp"
#include "storage/cassette/cassette_writer.hpp"
#include "storage/cassette/sqlite/database.hpp"

namespace tapedeck {

// A cassette opened for writing, with its lock: what everything that writes one shares. The file exists, has our
// schema and is in WAL mode. Destroyed without close(), it is as a crash leaves it.
class WritableCassette {
 public:
  static Result<std::unique_ptr<WritableCassette>> open(const std::filesystem::path& file,
                                                        const WriterOptions& options);

  Database& database() { return *database_; }
  bool created() const { return created_; }
  std::int64_t wal_pages() const { return wal_pages_; }

  // Every statement must be gone. Leaves one file, wholly synced, and lets go of the lock, also when it fails.
  Result<void> close();
  // Instead of close(), when the cassette cannot be used: a file that open() made is removed again.
  void give_up();

 private:
  explicit WritableCassette(const WriterOptions& options) : options_(options) {}
  Result<void> prepare();
  Result<void> make_file();
  Result<void> check_before_opening();
  Result<void> fill_or_check();
  Result<void> enter_wal_mode();
  Result<void> leave_wal_mode();

  WriterOptions options_;
  std::filesystem::path file_;
  std::unique_ptr<CassetteLock> lock_;
  std::unique_ptr<Database> database_;  // closed before the lock is let go
  bool made_file_ = false;
  bool created_ = false;
  std::int64_t wal_pages_ = 0;
};

}  // namespace tapedeck
