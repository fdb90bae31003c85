#include "storage/cassette/cassette_reader.hpp"
#include "storage/cassette/files.hpp"
#include "storage/cassette/sqlite/statement.hpp"
#include "storage/cassette/writable_cassette.hpp"

namespace tapedeck {

namespace {

Result<void> remove_take(Database& database, std::int64_t ordinal) {
  const auto take = std::to_string(ordinal);
  // Bodies go last, when nobody refers to them any more.
  return database.execute(
      "DELETE FROM events WHERE exchange IN (SELECT id FROM exchanges WHERE take = " + take +
      ");"
      "DELETE FROM exchanges WHERE take = " +
      take + ";DELETE FROM takes WHERE ordinal = " + take +
      ";"
      "DELETE FROM bodies WHERE id NOT IN (SELECT request_body FROM exchanges WHERE request_body IS NOT NULL"
      " UNION SELECT response_body FROM exchanges WHERE response_body IS NOT NULL);"
      "DELETE FROM body_pieces WHERE body NOT IN (SELECT id FROM bodies)");
}

Result<std::int64_t> remove_newest(Database& database) {
  // What is taken out must not be readable in the free pages either.
  if (auto set = database.execute("PRAGMA secure_delete = ON"); !set) return set.error();
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  auto ordinal = database.query_integer("SELECT max(ordinal) FROM takes");
  if (!ordinal) return ordinal.error();
  if (*ordinal == 0) {
    return Failure{"cassette-empty", Blame::cassette, database.name() + " has no take to drop; record one first"};
  }
  if (auto removed = remove_take(database, *ordinal); !removed) return removed.error();
  if (auto committed = transaction->commit(); !committed) return committed.error();
  return *ordinal;
}

}  // namespace

Result<std::int64_t> drop_last_take(const std::filesystem::path& file, std::chrono::milliseconds lock_wait_ms) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return Failure{"cassette-missing", Blame::cassette,
                   "there is no cassette " + real_path(file).string() + "; name another file with --cassette"};
  }
  WriterOptions options;
  options.lock_wait_ms = lock_wait_ms;
  auto cassette = WritableCassette::open(file, options);
  if (!cassette) return cassette.error();
  auto ordinal = remove_newest((*cassette)->database());
  auto closed = (*cassette)->close();
  if (ordinal && !closed) return closed.error();
  return ordinal;
}

}  // namespace tapedeck
