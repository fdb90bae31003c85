#include "storage/cassette/sqlite/statement.hpp"

#include <cassert>

#include <sqlite3.h>

namespace tapedeck {

namespace {

// SQLite takes a null pointer for NULL, whatever the size; an empty view may hold one.
const char* data_of(std::string_view value) {
  return value.data() == nullptr ? "" : value.data();
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(Database& database, sqlite3_stmt* statement)
    : handle_(statement), database_(&database), parameters_(sqlite3_bind_parameter_count(statement)) {
}

int Statement::next_parameter() {
  assert(bound_ < parameters_);
  return ++bound_;
}

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(handle(), next_parameter(), value);
  return *this;
}

Statement& Statement::bind_text(std::string_view value) {
  sqlite3_bind_text64(handle(), next_parameter(), data_of(value), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(std::string_view value) {
  sqlite3_bind_blob64(handle(), next_parameter(), data_of(value), value.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null() {
  sqlite3_bind_null(handle(), next_parameter());
  return *this;
}

Result<bool> Statement::step() {
  assert(bound_ == parameters_);
  const int result = sqlite3_step(handle());
  if (result == SQLITE_ROW) return true;
  const bool done = result == SQLITE_DONE;
  // The reason must be read before the reset, which clears it.
  const Failure failure = done ? Failure{} : database_->failure(result);
  reset();
  if (!done) return failure;
  return false;
}

Result<void> Statement::run() {
  auto row = step();
  if (!row) return row.error();
  assert(!*row);
  return {};
}

Result<void> Statement::run_changing(std::int64_t rows) {
  if (auto ran = run(); !ran) return ran;
  if (database_->changed_rows() != rows) return database_->failure(SQLITE_CORRUPT);
  return {};
}

Result<std::int64_t> Statement::take_integer(std::int64_t if_no_row) {
  auto row = step();
  if (!row) return row.error();
  if (!*row) return if_no_row;
  const auto value = sqlite3_column_int64(handle(), 0);
  reset();
  return value;
}

void Statement::reset() {
  sqlite3_reset(handle());
  sqlite3_clear_bindings(handle());
  bound_ = 0;
}

std::int64_t RowReader::integer(std::int64_t least, std::int64_t most) {
  const int column = column_++;
  if (!ok()) return 0;
  if (sqlite3_column_type(statement_, column) == SQLITE_INTEGER) {
    const std::int64_t value = sqlite3_column_int64(statement_, column);
    if (value >= least && value <= most) return value;
  }
  reject();
  return 0;
}

std::optional<std::int64_t> RowReader::optional_integer(std::int64_t least, std::int64_t most) {
  if (next_is_null()) {
    skip(1);
    return std::nullopt;
  }
  return integer(least, most);
}

std::string_view RowReader::bytes(int type, std::size_t bytes_max) {
  const int column = column_++;
  if (!ok()) return {};
  if (sqlite3_column_type(statement_, column) != type) {
    reject();
    return {};
  }
  // The pointer first, then the size, as SQLite asks for it.
  const void* data =
      type == SQLITE_TEXT ? sqlite3_column_text(statement_, column) : sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  if (size > bytes_max || (data == nullptr && size > 0)) {
    reject();
    return {};
  }
  return {static_cast<const char*>(data), size};
}

std::string_view RowReader::text(std::size_t bytes_max) {
  return bytes(SQLITE_TEXT, bytes_max);
}

std::string_view RowReader::blob(std::size_t bytes_max) {
  return bytes(SQLITE_BLOB, bytes_max);
}

std::string_view RowReader::blob_of_size(std::size_t bytes) {
  const auto value = blob(bytes);
  if (ok() && value.size() != bytes) reject();
  return value;
}

std::optional<std::string_view> RowReader::optional_blob_of_size(std::size_t bytes) {
  if (next_is_null()) {
    skip(1);
    return std::nullopt;
  }
  return blob_of_size(bytes);
}

bool RowReader::next_is_null() const {
  return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

void RowReader::reject() {
  if (!ok()) return;
  const char* name = column_ > 0 ? sqlite3_column_name(statement_, column_ - 1) : nullptr;
  problem_ = name != nullptr ? name : "a column";
}

}  // namespace tapedeck
