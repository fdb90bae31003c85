#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tapedeck {

class Statement;

// What a connection is for. It decides how SQLite's failures are named, since "read-only" means another mend to one
// who reads than to one who records.
enum class DatabaseAccess { read, write };

// The parts of the database header that are looked at before SQLite parses anything (file format, §1.3).
struct DatabaseHeader {
  std::uint64_t file_size = 0;
  bool is_sqlite = false;
  bool is_wal = false;
  std::uint32_t page_size = 0;
  std::uint32_t change_counter = 0;
  std::uint32_t user_version = 0;
  std::uint32_t application_id = 0;
};

// One connection to a file that may be hostile: nothing in the file is run, extensions are not loaded, sizes are
// bounded. Belongs to one thread. Its statements refer to it and must be gone before it.
class Database {
 public:
  struct Options {
    DatabaseAccess access = DatabaseAccess::read;
    std::string vfs;  // empty: the default one
    std::chrono::milliseconds busy_timeout_ms{0};
    std::filesystem::path name_in_errors;  // empty: the file itself
  };

  // Does not yet look at what is in the file. The file must exist: whoever creates one does so before.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, const Options& options);

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Reads through SQLite's own descriptor: closing another one would drop this process's locks on the file (POSIX).
  Result<DatabaseHeader> read_header();
  Result<std::string> read_raw(std::uint64_t offset, std::size_t size);

  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  Result<std::int64_t> query_integer(std::string_view sql);

  bool is_read_only() const;
  bool in_transaction() const;
  std::int64_t changed_rows() const;
  std::int64_t last_inserted_id() const;

  // Names the result code of this connection's last call as a failure of ours.
  Failure failure(int result_code) const;
  const std::string& name() const { return name_; }
  sqlite3* handle() const { return handle_; }

 private:
  Database(DatabaseAccess access, std::string name) : access_(access), name_(std::move(name)) {}
  Result<void> configure();

  sqlite3* handle_ = nullptr;
  DatabaseAccess access_;
  std::string name_;
};

// Rolls back unless committed, so that an early return leaves no half of a transaction.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace tapedeck
