#include "storage/cassette/writable_cassette.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <sqlite3.h>

#include "storage/cassette/failures.hpp"
#include "storage/cassette/migrations/migrations.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

namespace {

constexpr std::chrono::milliseconds try_interval_ms{20};

Failure newer_than_we_write(const std::string& name, std::int64_t format) {
  return {"cassette-newer", Blame::cassette,
          name + " has format " + std::to_string(format) + ", this tapedeck writes up to " +
              std::to_string(cassette_format) + "; install a newer tapedeck or record into another file"};
}

Result<std::string> query_word(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  std::string word;
  if (*row) word = RowReader(*statement).text(word_bytes_max);
  return {boost::system::in_place_value, std::move(word)};
}

int count_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<std::int64_t*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Result<std::unique_ptr<WritableCassette>> WritableCassette::open(const std::filesystem::path& file,
                                                                 const WriterOptions& options) {
  std::unique_ptr<WritableCassette> cassette(new WritableCassette(options));
  cassette->file_ = real_path(file);
  auto prepared = cassette->prepare();
  if (!prepared) {
    cassette->give_up();
    return prepared.error();
  }
  return cassette;
}

Result<void> WritableCassette::prepare() {
  const auto name = file_.string();
  std::error_code error;
  const auto folder = std::filesystem::absolute(file_).parent_path();
  if (!std::filesystem::is_directory(folder, error)) {
    return cassette_unwritable(name, "there is no folder " + folder.string());
  }
  auto lock = CassetteLock::take(file_, options_.lock_wait_ms, options_.environment.pause);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);

  if (auto made = make_file(); !made) return made;
  if (!made_file_) {
    if (auto checked = check_before_opening(); !checked) return checked;
  }
  auto database = Database::open(file_, {DatabaseAccess::write, options_.environment.vfs, options_.lock_wait_ms, {}});
  if (!database) return database.error();
  database_ = std::move(*database);
  if (database_->is_read_only()) return cassette_unwritable(name, "it is read-only");
  if (auto filled = fill_or_check(); !filled) return filled;
  return enter_wal_mode();
}

// O_EXCL decides who made it; SQLite then finds an empty file. The descriptor must be closed before SQLite locks the
// file, since closing any descriptor of a file drops all of this process's locks on it (POSIX).
Result<void> WritableCassette::make_file() {
  const UniqueFd made(::open(file_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  made_file_ = static_cast<bool>(made);
  if (made_file_) return {};
  if (errno != EEXIST) return cassette_unwritable(file_.string(), system_reason());
  if (!options_.create_only) return {};
  return Failure{"cassette-exists", Blame::us,
                 file_.string() + " exists already; leave out --new, or name another file"};
}

// A file that is refused must not be changed by a byte, and a connection that may write does change one that needs
// recovery. So the header is looked at first, and when nothing waits for recovery the whole schema as well.
Result<void> WritableCassette::check_before_opening() {
  const auto name = file_.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(file_, error)) return cassette_foreign(name, "no regular file");
  auto database = Database::open(file_, {DatabaseAccess::read, options_.environment.vfs, options_.lock_wait_ms, {}});
  if (!database) return database.error();
  auto header = (*database)->read_header();
  if (!header) return header.error();
  if (names_super_journal(journal_of(file_))) return cassette_corrupt(name, "its journal names another file");
  // Whoever died while making it left an empty file. (SQLite takes a file of one byte for empty too, and would write
  // over it.)
  if (std::filesystem::file_size(file_, error) == 0) return {};
  if (auto checked = check_header(*header, name); !checked) return checked;
  if (header->user_version > cassette_format) return newer_than_we_write(name, header->user_version);
  if (header->is_wal || has_wal(file_) || has_hot_journal(file_)) return {};
  if (auto checked = check_whole_pages(*header, name); !checked) return checked;
  auto meta = check_schema(**database);
  if (!meta) return meta.error();
  return {};
}

Result<void> WritableCassette::fill_or_check() {
  auto objects = database_->query_integer("SELECT count(*) FROM sqlite_schema");
  if (!objects) return objects.error();
  auto application_id = database_->query_integer("PRAGMA application_id");
  if (!application_id) return application_id.error();

  if (*objects == 0 && *application_id == 0) {
    created_ = true;
    auto transaction = Transaction::begin(*database_);
    if (!transaction) return transaction.error();
    if (auto made = create_schema(*database_, options_.environment); !made) return made;
    return transaction->commit();
  }
  auto meta = check_schema(*database_);
  if (!meta) return meta.error();
  if (meta->format > cassette_format) return newer_than_we_write(database_->name(), meta->format);
  if (meta->format == cassette_format) return {};
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  if (auto migrated = migrate(*database_, meta->format); !migrated) return migrated;
  return transaction->commit();
}

Result<void> WritableCassette::enter_wal_mode() {
  auto mode = query_word(*database_, "PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  if (*mode != "wal") return cassette_unwritable(database_->name(), "its file system has no shared memory for SQLite");
  // The hook takes the place of SQLite's own checkpoints, which would come in the middle of a commit.
  sqlite3_wal_hook(database_->handle(), count_wal_pages, &wal_pages_);
  // Bodies' digests come in no order, so that the pages of their index are all in use; SQLite's 2 MB do not hold them.
  if (auto set = database_->execute("PRAGMA cache_size = -8192"); !set) return set;
  return database_->execute(options_.durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

Result<void> WritableCassette::leave_wal_mode() {
  if (auto set = database_->execute("PRAGMA synchronous = FULL"); !set) return set;
  // A reader of the moment stands in the way of both; SQLite waits for it in neither.
  for (auto waited = std::chrono::milliseconds{0};;) {
    auto busy = database_->query_integer("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!busy && busy.error().code != "cassette-busy") return busy.error();
    if (busy && *busy == 0) {
      auto mode = query_word(*database_, "PRAGMA journal_mode = DELETE");
      if (mode && *mode == "delete") return {};
      if (!mode && mode.error().code != "cassette-busy") return mode.error();
    }
    if (waited >= options_.lock_wait_ms) return database_->failure(SQLITE_BUSY);
    options_.environment.pause(try_interval_ms);
    waited += try_interval_ms;
  }
}

Result<void> WritableCassette::close() {
  auto left = leave_wal_mode();
  database_.reset();
  if (left) sync_folder_of(file_);
  lock_.reset();
  return left;
}

void WritableCassette::give_up() {
  database_.reset();
  if (!made_file_) return;
  std::error_code error;
  for (const auto& file : {wal_of(file_), shm_of(file_), journal_of(file_), file_}) {
    std::filesystem::remove(file, error);
  }
}

}  // namespace tapedeck
