#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/cassette/sqlite/database.hpp"

namespace tapedeck {

// A prepared statement. Values are bound in order; all of them must be before it runs, since SQLite would take a
// missing one for NULL and change the wrong rows without a word. Bound text is not copied: it must live until the
// statement has run.
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* statement);

  Statement& bind(std::int64_t value);
  Statement& bind_text(std::string_view value);
  Statement& bind_blob(std::string_view value);
  Statement& bind_null();

  // True when there is a row. After false or a failure the statement is ready to be bound again.
  Result<bool> step();
  // Runs a change to its end. That it changed another number of rows means that the file is not as it was.
  Result<void> run_changing(std::int64_t rows);
  Result<void> run();
  // Runs a query for one number to its end.
  Result<std::int64_t> take_integer(std::int64_t if_no_row);
  void reset();

  sqlite3_stmt* handle() const { return handle_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  int next_parameter();
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  Database* database_;
  int parameters_ = 0;
  int bound_ = 0;
};

// A query that is left before its last row would keep its lock on the file; this resets it at the end of a scope.
class StatementReset {
 public:
  explicit StatementReset(Statement& statement) : statement_(statement) {}
  ~StatementReset() { statement_.reset(); }
  StatementReset(const StatementReset&) = delete;
  StatementReset& operator=(const StatementReset&) = delete;

 private:
  Statement& statement_;
};

// Takes the columns of the current row in order and checks each: a cassette may hold anything. The first thing that is
// wrong is remembered by its column's name and everything after it reads as empty, so callers ask once at the end.
class RowReader {
 public:
  explicit RowReader(const Statement& statement) : statement_(statement.handle()) {}

  std::int64_t integer(std::int64_t least = 0, std::int64_t most = INT64_MAX);
  std::optional<std::int64_t> optional_integer(std::int64_t least = 0, std::int64_t most = INT64_MAX);
  // Views live until the statement steps or is reset.
  std::string_view text(std::size_t bytes_max);
  std::string_view blob(std::size_t bytes_max);
  std::string_view blob_of_size(std::size_t bytes);
  std::optional<std::string_view> optional_blob_of_size(std::size_t bytes);

  bool next_is_null() const;
  void skip(int columns) { column_ += columns; }

  // Says that the column read last holds something that its type allows and the format does not.
  void reject();
  bool ok() const { return problem_.empty(); }
  // The name of the first wrong column; empty when all is well.
  const std::string& problem() const { return problem_; }

 private:
  std::string_view bytes(int type, std::size_t bytes_max);
  sqlite3_stmt* statement_;
  int column_ = 0;
  std::string problem_;
};

}  // namespace tapedeck
