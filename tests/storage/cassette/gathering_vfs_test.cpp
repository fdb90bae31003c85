#include "storage/cassette/sqlite/gathering_vfs.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "storage/cassette/sqlite/database.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"
#include "tests/support/faulty_vfs.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { CHECK(sqlite3_close(database) == SQLITE_OK); }
};
using OpenDatabase = std::unique_ptr<sqlite3, CloseDatabase>;

OpenDatabase open(const std::filesystem::path& file, const std::string& vfs) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     vfs.empty() ? nullptr : vfs.c_str());
  REQUIRE(opened == SQLITE_OK);
  return OpenDatabase(database);
}

sqlite3* handle_of(const OpenDatabase& database) {
  return database.get();
}
sqlite3* handle_of(const std::unique_ptr<Database>& database) {
  return database->handle();
}

template <class AnyDatabase>
int run(const AnyDatabase& database, const std::string& sql) {
  return sqlite3_exec(handle_of(database), sql.c_str(), nullptr, nullptr, nullptr);
}

template <class AnyDatabase>
std::string value_of(const AnyDatabase& database, const std::string& sql) {
  std::string value;
  const auto take = [](void* out, int, char** columns, char**) {
    *static_cast<std::string*>(out) = columns[0];
    return 0;
  };
  REQUIRE(sqlite3_exec(handle_of(database), sql.c_str(), take, &value, nullptr) == SQLITE_OK);
  return value;
}

OpenDatabase open_with_rows(const std::filesystem::path& file, const std::string& vfs) {
  auto database = open(file, vfs);
  REQUIRE(value_of(database, "PRAGMA journal_mode = WAL") == "wal");
  REQUIRE(run(database, "PRAGMA wal_autocheckpoint = 0; CREATE TABLE rows(id INTEGER PRIMARY KEY, bytes BLOB)") ==
          SQLITE_OK);
  return database;
}

std::string insert(int rows) {
  return "INSERT INTO rows(bytes) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
         std::to_string(rows) + ") SELECT randomblob(1000) FROM n;";
}

// What a process that dies now would leave: SQLite then reads the log and believes what its sums say. Another process
// copies it, since whoever opens and closes a database loses the locks that his process has on it.
std::string rows_left_by_death(const std::filesystem::path& file, const TemporaryFolder& folder) {
  const auto copy = folder / "copy";
  const auto quoted = [](const std::filesystem::path& path) { return "'" + path.string() + "' "; };
  std::filesystem::remove(folder / "copy-shm");
  for (const std::string suffix : {"", "-wal"}) {
    REQUIRE(std::system(("cp " + quoted(file.string() + suffix) + quoted(copy.string() + suffix)).c_str()) == 0);
  }
  const auto database = open(copy, "");
  CHECK(value_of(database, "PRAGMA integrity_check") == "ok");
  return value_of(database, "SELECT count(*) || ' ' || coalesce(sum(length(bytes)), 0) FROM rows");
}

}  // namespace

TEST_CASE("A transaction is one write to the log, and no other operation") {
  struct {
    const char* name;
    std::string vfs;
    int operations_least, operations_most;
  } const layers[] = {
      {"SQLite's own", FaultyVfs::name, 10, 40},
      {"gathering", "", 1, 1},
  };
  for (const auto& layer : layers) {
    CAPTURE(layer.name);
    const TemporaryFolder folder;
    FaultyVfs::plan_nothing();
    const auto vfs = layer.vfs.empty() ? gathering_vfs(FaultyVfs::name) : layer.vfs;
    const auto database = open_with_rows(folder / "rows", vfs);
    REQUIRE(run(database, "PRAGMA synchronous = NORMAL; BEGIN;" + insert(20)) == SQLITE_OK);
    FaultyVfs::plan_nothing();
    REQUIRE(run(database, "COMMIT") == SQLITE_OK);
    CHECK(FaultyVfs::operations() >= layer.operations_least);
    CHECK(FaultyVfs::operations() <= layer.operations_most);
  }
}

// A small cache makes SQLite write pages before the commit, write them anew, and sum up frames a second time.
TEST_CASE("What is committed is in the files, whatever SQLite does to its log meanwhile") {
  for (const auto* synchronous : {"NORMAL", "FULL"}) {
    for (const int cache_pages : {10, 2000}) {
      CAPTURE(synchronous);
      CAPTURE(cache_pages);
      const TemporaryFolder folder;
      const auto file = folder / "rows";
      const auto database = open_with_rows(file, gathering_vfs(""));
      REQUIRE(run(database, std::string("PRAGMA synchronous = ") + synchronous +
                                "; PRAGMA cache_size = " + std::to_string(cache_pages)) == SQLITE_OK);
      const auto other = open(file, "");

      REQUIRE(run(database, "BEGIN;" + insert(300) + "UPDATE rows SET bytes = randomblob(900); COMMIT") == SQLITE_OK);
      CHECK(rows_left_by_death(file, folder) == "300 270000");
      CHECK(value_of(other, "SELECT count(*) FROM rows") == "300");

      REQUIRE(run(database, "BEGIN;" + insert(100) + "DELETE FROM rows WHERE id % 2 = 0; ROLLBACK") == SQLITE_OK);
      CHECK(rows_left_by_death(file, folder) == "300 270000");

      REQUIRE(run(database, insert(1) + insert(1)) == SQLITE_OK);
      CHECK(rows_left_by_death(file, folder) == "302 272000");

      CHECK(value_of(database, "PRAGMA wal_checkpoint(TRUNCATE)") == "0");
      REQUIRE(run(database, insert(5)) == SQLITE_OK);
      CHECK(rows_left_by_death(file, folder) == "307 277000");

      CHECK(value_of(database, "PRAGMA wal_checkpoint(PASSIVE)") == "0");
      REQUIRE(run(database, insert(1)) == SQLITE_OK);
      CHECK(rows_left_by_death(file, folder) == "308 278000");
      CHECK(value_of(other, "SELECT count(*) FROM rows") == "308");
    }
  }
}

// Frames that SQLite wrote early are kept for a while; those of a transaction that was rolled back must be gone by the
// time that another process writes in their place.
TEST_CASE("What was rolled back never goes into the log behind another process's commit") {
  const TemporaryFolder folder;
  const auto file = folder / "rows";
  REQUIRE(run(open_with_rows(file, ""), insert(300)) == SQLITE_OK);
  // Our own connections drop them by themselves.
  const auto database = required(Database::open(file, {DatabaseAccess::write, "", std::chrono::milliseconds(0), {}}));
  CHECK(value_of(database, "PRAGMA wal_checkpoint(TRUNCATE)") == "0");
  REQUIRE(run(database, "PRAGMA cache_size = 10; BEGIN; UPDATE rows SET bytes = randomblob(900) WHERE id < 60") ==
          SQLITE_OK);
  REQUIRE(run(database, "ROLLBACK") == SQLITE_OK);

  const auto other = open(file, "");
  REQUIRE(run(other, "PRAGMA wal_autocheckpoint = 0; UPDATE rows SET bytes = randomblob(500) WHERE id > 200") ==
          SQLITE_OK);
  const std::string sums = "SELECT count(*) || ' ' || sum(length(bytes)) FROM rows";
  CHECK(value_of(database, sums) == "300 250000");
  CHECK(value_of(database, "PRAGMA integrity_check") == "ok");
  CHECK(rows_left_by_death(file, folder) == "300 250000");
  REQUIRE(run(database, insert(1)) == SQLITE_OK);
  CHECK(value_of(other, sums) == "301 251000");
  CHECK(rows_left_by_death(file, folder) == "301 251000");
}

TEST_CASE("A commit whose write fails is no commit, and the next one is") {
  for (int at = 1; at <= 3; ++at) {
    CAPTURE(at);
    const TemporaryFolder folder;
    const auto file = folder / "rows";
    FaultyVfs::plan_nothing();
    const auto database = open_with_rows(file, gathering_vfs(FaultyVfs::name));
    const auto drop = [](void* handle) { drop_gathered(static_cast<sqlite3*>(handle)); };
    sqlite3_rollback_hook(database.get(), drop, database.get());
    REQUIRE(run(database, "PRAGMA synchronous = FULL;" + insert(3)) == SQLITE_OK);
    FaultyVfs::plan({FaultPlan::Kind::fail_once, SQLITE_FULL, at});
    const int inserted = run(database, insert(2));
    const bool fired = FaultyVfs::fired();
    FaultyVfs::plan_nothing();
    CHECK(fired == (at <= 2));  // the write and the sync
    if (fired) CHECK(inserted == SQLITE_FULL);
    if (fired) CHECK(value_of(database, "SELECT count(*) FROM rows") == "3");
    // A sync that fails leaves in the log what was to be synced, with SQLite's own layer too.
    if (at == 1) CHECK(rows_left_by_death(file, folder) == "3 3000");
    REQUIRE(run(database, insert(10)) == SQLITE_OK);
    CHECK(rows_left_by_death(file, folder) == (fired ? "13 13000" : "15 15000"));
  }
}
