#include "storage/cassette/sqlite/database.hpp"

#include <array>
#include <cassert>
#include <cstring>

#include <sqlite3.h>

#include "storage/cassette/sqlite/gathering_vfs.hpp"
#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

namespace {

// Longest text, blob or row: a row holds two heads, their trailers and 16 interim heads of 64 KiB each and still fits.
constexpr int value_bytes_max = 4 * 1024 * 1024;

void bound_sizes(sqlite3* handle) {
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, value_bytes_max);
  sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 64 * 1024);
  sqlite3_limit(handle, SQLITE_LIMIT_COLUMN, 128);
  sqlite3_limit(handle, SQLITE_LIMIT_EXPR_DEPTH, 50);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
  sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
}

bool set_option(sqlite3* handle, int option, int value) {
  int now = -1;
  return sqlite3_db_config(handle, option, value, &now) == SQLITE_OK && now == value;
}

// SQLite's advice for files from strangers (https://sqlite.org/security.html).
bool defend(sqlite3* handle) {
  bound_sizes(handle);
  return set_option(handle, SQLITE_DBCONFIG_DEFENSIVE, 1) && set_option(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0) &&
         set_option(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0) &&
         set_option(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0) && set_option(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0) &&
         set_option(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
}

std::string uri_of(const std::filesystem::path& file, bool read_only) {
  std::string uri = "file://";
  for (const char c : std::filesystem::absolute(file).string()) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr char digits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      uri += c;
    }
  }
  // A reader must not make the -shm file; where a writer has made one it is shared.
  if (read_only) uri += "?mode=ro&readonly_shm=1";
  return uri;
}

// SQLite counts what it allots behind a mutex of the whole process, and nobody asks. It can be told so only before its
// first use; told later it goes on counting.
void spare_memory_counts() {
  static const int said = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)said;
}

std::uint32_t big_endian_32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string reason_of(sqlite3* handle, int result_code) {
  std::string reason = sqlite3_errstr(result_code);
  if (const int system_error = sqlite3_system_errno(handle); system_error != 0) {
    reason += std::string(" (") + std::strerror(system_error) + ")";
  }
  return reason;
}

}  // namespace

Database::~Database() {
  // Never fails when every statement is gone; a statement that outlives its connection is a bug of ours.
  const int closed = sqlite3_close(handle_);
  assert(closed == SQLITE_OK);
  (void)closed;
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, const Options& options) {
  spare_memory_counts();
  const auto& name = options.name_in_errors.empty() ? file : options.name_in_errors;
  std::unique_ptr<Database> database(new Database(options.access, name.string()));
  const bool read_only = options.access == DatabaseAccess::read;
  const int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  auto vfs = read_only ? options.vfs : gathering_vfs(options.vfs);
  if (vfs.empty()) vfs = options.vfs;
  const int opened =
      sqlite3_open_v2(uri_of(file, read_only).c_str(), &database->handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (opened != SQLITE_OK) return database->failure(opened);
  const auto drop = [](void* handle) { drop_gathered(static_cast<sqlite3*>(handle)); };
  if (!read_only) sqlite3_rollback_hook(database->handle_, drop, database->handle_);
  sqlite3_busy_timeout(database->handle_, static_cast<int>(options.busy_timeout_ms.count()));
  if (auto configured = database->configure(); !configured) return configured.error();
  return database;
}

Result<void> Database::configure() {
  if (!defend(handle_)) {
    return Failure{"sqlite-unfit", Blame::us, "this SQLite cannot open files defensively; install 3.40 or newer"};
  }
  sqlite3_int64 mmap_bytes = 0;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_MMAP_SIZE, &mmap_bytes);
  // Only what SQLite sets without reading the file, which may wait for recovery.
  return execute(access_ == DatabaseAccess::read ? "PRAGMA cell_size_check = ON; PRAGMA query_only = ON"
                                                 : "PRAGMA cell_size_check = ON");
}

Result<std::string> Database::read_raw(std::uint64_t offset, std::size_t size) {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (found != SQLITE_OK || file == nullptr || file->pMethods == nullptr) return failure(SQLITE_CANTOPEN);
  std::string bytes(size, '\0');
  const int read =
      file->pMethods->xRead(file, bytes.data(), static_cast<int>(size), static_cast<sqlite3_int64>(offset));
  if (read != SQLITE_OK && read != SQLITE_IOERR_SHORT_READ) return failure(read);
  return {boost::system::in_place_value, std::move(bytes)};
}

Result<DatabaseHeader> Database::read_header() {
  auto bytes = read_raw(0, 100);
  if (!bytes) return bytes.error();
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  sqlite3_int64 size = 0;
  if (const int sized = file->pMethods->xFileSize(file, &size); sized != SQLITE_OK) return failure(sized);
  DatabaseHeader header;
  header.file_size = static_cast<std::uint64_t>(size);
  header.is_sqlite = bytes->compare(0, 16, std::string_view("SQLite format 3\0", 16)) == 0;
  header.is_wal = (*bytes)[18] == 2 || (*bytes)[19] == 2;
  // 1 stands for 65536, which the field of two bytes cannot hold.
  const std::uint32_t page_size = big_endian_32(*bytes, 16) >> 16;
  header.page_size = page_size == 1 ? 65536 : page_size;
  header.change_counter = big_endian_32(*bytes, 24);
  header.user_version = big_endian_32(*bytes, 60);
  header.application_id = big_endian_32(*bytes, 68);
  return header;
}

Result<void> Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failure(result);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement, nullptr);
  if (result != SQLITE_OK) return failure(result);
  assert(statement != nullptr);
  return Statement(*this, statement);
}

Result<std::int64_t> Database::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  return statement->take_integer(0);
}

bool Database::is_read_only() const {
  return sqlite3_db_readonly(handle(), "main") != 0;
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

std::int64_t Database::last_inserted_id() const {
  return sqlite3_last_insert_rowid(handle());
}

std::int64_t Database::changed_rows() const {
  return sqlite3_changes64(handle());
}

Failure Database::failure(int result_code) const {
  const std::string reason = reason_of(handle(), result_code);
  switch (result_code & 0xff) {
    case SQLITE_NOTADB:
      return {"cassette-foreign", Blame::cassette, name_ + " is not a cassette; name another file with --cassette"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {"cassette-busy", Blame::us, name_ + " is in use by another process; try again when it has finished"};
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
      return {"cassette-corrupt", Blame::cassette,
              name_ + " is damaged (" + reason + "); restore it from a backup or record it anew"};
    default:
      break;
  }
  if (access_ == DatabaseAccess::read) {
    return {"cassette-unreadable", Blame::cassette, name_ + " cannot be read: " + reason + "; check its permissions"};
  }
  if ((result_code & 0xff) == SQLITE_CANTOPEN || (result_code & 0xff) == SQLITE_READONLY ||
      (result_code & 0xff) == SQLITE_PERM) {
    return {"cassette-unwritable", Blame::us, name_ + " cannot be written: " + reason + "; check its permissions"};
  }
  return {"cassette-write-failed", Blame::us,
          name_ + " could not be written: " + reason + "; what was committed before is kept"};
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  return Transaction(database);
}

Transaction::~Transaction() {
  // SQLite rolls back by itself after some failures; then there is nothing left to do.
  if (database_ != nullptr && database_->in_transaction()) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
  auto committed = database_->execute("COMMIT");
  if (committed) database_ = nullptr;
  return committed;
}

}  // namespace tapedeck
