// Files that are no cassette, or not one for us, are refused by name and left as they are.

#include <cstring>
#include <functional>
#include <unistd.h>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "storage/cassette/files.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

// Changes a database as any other program could.
void tamper(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  char* message = nullptr;
  const int result = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message);
  REQUIRE_MESSAGE(result == SQLITE_OK, std::string(message != nullptr ? message : ""));
  sqlite3_close(handle);
}

std::string writable_schema(const std::string& sql) {
  return "PRAGMA writable_schema = ON;" + sql + ";PRAGMA writable_schema = RESET";
}

using Make = std::function<void(const std::filesystem::path&)>;

Make cassette_then(const std::string& sql) {
  return [sql](const std::filesystem::path& file) {
    record(file, {numbered(1)});
    tamper(file, sql);
  };
}

Make cassette_with_bytes(std::size_t at, const std::string& bytes) {
  return [=](const std::filesystem::path& file) {
    record(file, {numbered(1)});
    auto content = bytes_of(file);
    content.replace(at, bytes.size(), bytes);
    write_bytes(file, content);
  };
}

Make file_of(const std::string& bytes) {
  return [bytes](const std::filesystem::path& file) { write_bytes(file, bytes); };
}

// What both sides say of a file. An empty code: it is taken.
struct Row {
  const char* name;
  Make make;
  std::string reader;
  std::string writer;
};

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code;
}

void check_names_file_and_mend(const Failure& failure, const std::filesystem::path& file) {
  CAPTURE(failure.detail);
  CHECK(failure.detail.find(file.string()) != std::string::npos);
  CHECK(failure.detail.find("; ") != std::string::npos);
  CHECK(failure.detail.find('\n') == std::string::npos);
}

const Row rows[] = {
    {"a text",
     file_of("not a database, but long enough to look for a header of one hundred bytes in it. "
             "It goes on for a while."),
     "cassette-foreign", "cassette-foreign"},
    {"a short text", file_of("x"), "cassette-foreign", "cassette-foreign"},
    {"another program's database", [](const auto& file) { tamper(file, "CREATE TABLE t(a)"); }, "cassette-foreign",
     "cassette-foreign"},
    {"another program's database in WAL mode",
     [](const auto& file) { tamper(file, "PRAGMA journal_mode = WAL; CREATE TABLE t(a)"); }, "cassette-foreign",
     "cassette-foreign"},
    {"a folder", [](const auto& file) { std::filesystem::create_directory(file); }, "cassette-unreadable",
     "cassette-foreign"},
    {"a link to itself", [](const auto& file) { std::filesystem::create_symlink(file, file); }, "cassette-unreadable",
     "cassette-foreign"},
    {"a later format that we can read",
     cassette_then("CREATE TABLE later(a); PRAGMA user_version = 2;"
                   "UPDATE meta SET value = '2' WHERE key = 'format'"),
     "", "cassette-newer"},
    {"a later format that we cannot read",
     cassette_then("PRAGMA user_version = 7; UPDATE meta SET value = '7' WHERE key IN ('format', 'min_reader')"),
     "cassette-newer", "cassette-newer"},
    {"a later format that changes our tables",
     cassette_then("ALTER TABLE takes ADD COLUMN more TEXT; PRAGMA user_version = 2;"
                   "UPDATE meta SET value = '2' WHERE key = 'format'"),
     "cassette-corrupt", "cassette-newer"},
    {"a format that is not the one in the header", cassette_then("UPDATE meta SET value = '2' WHERE key = 'format'"),
     "cassette-corrupt", "cassette-corrupt"},
    {"a format that is no number", cassette_then("UPDATE meta SET value = '1x' WHERE key = 'format'"),
     "cassette-corrupt", "cassette-corrupt"},
    {"no uuid", cassette_then("DELETE FROM meta WHERE key = 'uuid'"), "cassette-corrupt", "cassette-corrupt"},
    {"a table more", cassette_then("CREATE TABLE more(a)"), "cassette-corrupt", "cassette-corrupt"},
    {"a view more", cassette_then("CREATE VIEW more AS SELECT 1"), "cassette-corrupt", "cassette-corrupt"},
    {"a trigger more", cassette_then("CREATE TRIGGER more AFTER INSERT ON takes BEGIN DELETE FROM exchanges; END"),
     "cassette-corrupt", "cassette-corrupt"},
    {"an index less", cassette_then("DROP INDEX exchanges_in_order"), "cassette-corrupt", "cassette-corrupt"},
    {"a table less", cassette_then("DROP TABLE events"), "cassette-corrupt", "cassette-corrupt"},
    {"a view in place of a table",
     cassette_then("DROP TABLE events; CREATE VIEW events AS SELECT 1 AS exchange, 1 AS n"), "cassette-corrupt",
     "cassette-corrupt"},
    {"another schema text",
     cassette_then(writable_schema("UPDATE sqlite_schema SET sql = replace(sql, 'time_us INTEGER', 'time_us TEXT') "
                                   "WHERE name = 'events'")),
     "cassette-corrupt", "cassette-corrupt"},
    {"a schema that is no SQL",
     cassette_then("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'rubbish' WHERE name = 'events'"),
     "cassette-corrupt", "cassette-corrupt"},
    {"a first page that is wiped out", cassette_with_bytes(100, std::string(3000, '\0')), "cassette-corrupt",
     "cassette-corrupt"},
};

}  // namespace

TEST_CASE("What is no cassette for us is refused by name and left as it is") {
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    const TemporaryFolder folder;
    const auto file = folder / "x.cassette";
    row.make(file);
    const bool is_file = std::filesystem::is_regular_file(std::filesystem::symlink_status(file));
    const auto before = is_file ? content_of(folder.path()) : std::map<std::string, std::string>{};

    const auto read = CassetteReader::open(file);
    CHECK(code_of(read) == row.reader);
    if (!read) check_names_file_and_mend(read.error(), file);

    WriterOptions options;
    options.lock_wait_ms = std::chrono::milliseconds{0};
    const auto written = CassetteWriter::open(file, options);
    CHECK(code_of(written) == row.writer);
    if (!written) check_names_file_and_mend(written.error(), file);

    if (is_file) CHECK(content_of(folder.path()) == before);
  }
}

TEST_CASE("A missing cassette is named with the command that records it") {
  const TemporaryFolder folder;
  const auto file = folder / "none.cassette";
  const auto read = CassetteReader::open(file);
  REQUIRE(code_of(read) == "cassette-missing");
  CHECK(read.error().blame == Blame::cassette);
  CHECK(read.error().detail.find(file.string()) != std::string::npos);
  CHECK(read.error().detail.find("tapedeck record") != std::string::npos);
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("An empty file is none yet, and becomes one") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  write_bytes(file, "");
  CHECK(code_of(CassetteReader::open(file)) == "cassette-foreign");
  record(file, {numbered(1)});
  CHECK(targets_in(file).size() == 1);
}

TEST_CASE("A file that may not be read or written says so") {
  // Root may read everything, so there is nothing to refuse.
  if (::geteuid() == 0) return;
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  std::filesystem::permissions(file, std::filesystem::perms::none);
  CHECK(code_of(CassetteReader::open(file)) == "cassette-unreadable");
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  CHECK(code_of(CassetteReader::open(file)) == "");
  CHECK(code_of(CassetteWriter::open(file, {})) == "cassette-unwritable");
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  CHECK(code_of(CassetteReader::open(file)) == "");
  CHECK(code_of(CassetteWriter::open(file, {})) == "cassette-unwritable");
}

TEST_CASE("A folder that is not there is named") {
  const TemporaryFolder folder;
  const auto opened = CassetteWriter::open(folder / "none/x.cassette", {});
  REQUIRE(code_of(opened) == "cassette-unwritable");
  CHECK(opened.error().detail.find((folder / "none").string()) != std::string::npos);
}

TEST_CASE("An existing file is refused when a new one is asked for") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  WriterOptions options;
  options.create_only = true;
  {
    auto writer = required(CassetteWriter::open(file, options));
    CHECK(writer->created());
    require_ok(writer->close());
  }
  const auto before = content_of(folder.path());
  CHECK(code_of(CassetteWriter::open(file, options)) == "cassette-exists");
  CHECK(content_of(folder.path()) == before);
  record(file, {});
  auto writer = required(CassetteWriter::open(file, {}));
  CHECK_FALSE(writer->created());
}

// SQLite deletes the file that such a journal names when it has rolled back.
TEST_CASE("A journal that names another file is a trap and is refused") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto victim = (folder / "victim").string();
  record(file, {numbered(1)});
  write_bytes(victim, "precious");
  const std::string magic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
  std::string journal = magic + std::string("\0\0\0\0\0\0\0\0\0\0\0\1\0\0\2\0\0\0\x10\0", 20);
  journal.resize(512, '\0');
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
  };
  std::uint32_t sum = 0;
  for (const char c : victim) sum += static_cast<std::uint32_t>(static_cast<signed char>(c));
  journal += number(1) + victim + number(static_cast<std::uint32_t>(victim.size())) + number(sum) + magic;
  write_bytes(journal_of(file), journal);

  const auto before = content_of(folder.path());
  CHECK(code_of(CassetteReader::open(file)) == "cassette-corrupt");
  CHECK(code_of(CassetteWriter::open(file, {})) == "cassette-corrupt");
  CHECK(content_of(folder.path()) == before);
}
