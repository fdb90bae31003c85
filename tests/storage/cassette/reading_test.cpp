// Reading changes no byte and leaves no file, in whatever state a cassette was left, and does not disturb a writer.

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "storage/cassette/files.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

// Leaves the file as a killed run does: committed exchanges in the -wal, nothing closed.
void record_and_die(const std::filesystem::path& file, int n) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto writer = CassetteWriter::open(file, {});
    if (writer && (*writer)->begin_take(TakeKind::replace) && append(**writer, {numbered(n)})) {
      ::kill(::getpid(), SIGKILL);
    }
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

void keep_only_header_page(const std::filesystem::path& file) {
  record(file, {numbered(1)});
  REQUIRE(execute(file, "PRAGMA journal_mode = WAL"));
}

struct Row {
  const char* name;
  void (*make)(const std::filesystem::path&);
  std::vector<std::string> targets;
};

const Row rows[] = {
    {"closed", [](const auto& file) { record(file, {numbered(1)}); }, {"/tapes/1"}},
    {"killed in its first take", [](const auto& file) { record_and_die(file, 1); }, {"/tapes/1"}},
    {"killed in its second take",
     [](const auto& file) {
       record(file, {numbered(1)});
       record_and_die(file, 2);
     },
     {"/tapes/1", "/tapes/2"}},
    {"killed, and the -shm cleared away",
     [](const auto& file) {
       record_and_die(file, 1);
       std::filesystem::remove(shm_of(file));
     },
     {"/tapes/1"}},
    {"killed, and the lock file cleared away",
     [](const auto& file) {
       record_and_die(file, 1);
       std::filesystem::remove(file.string() + ".lock");
     },
     {"/tapes/1"}},
    {"killed, and the -wal lost",
     [](const auto& file) {
       record(file, {numbered(1)});
       record_and_die(file, 2);
       std::filesystem::remove(wal_of(file));
     },
     {"/tapes/1"}},
    {"an empty -wal beside it",
     [](const auto& file) {
       record(file, {numbered(1)});
       write_bytes(wal_of(file), "");
     },
     {"/tapes/1"}},
    {"rubbish as -wal beside it",
     [](const auto& file) {
       record(file, {numbered(1)});
       write_bytes(wal_of(file), std::string(5000, 'x'));
     },
     {"/tapes/1"}},
    {"left in WAL mode by another program", keep_only_header_page, {"/tapes/1"}},
};

}  // namespace

TEST_CASE("Reading changes no byte and leaves no file") {
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    const TemporaryFolder folder;
    const auto file = folder / "x.cassette";
    row.make(file);
    const auto before = content_of(folder.path());
    {
      auto reader = required(CassetteReader::open(file));
      CHECK_MESSAGE(content_of(folder.path()) == before, "while it is open");
      required(reader->takes());
      for (const auto& stored : all_of(*reader)) required(reader->load(stored.id, {true, true, true}));
      require_ok(reader->check_integrity());
      CHECK_MESSAGE(content_of(folder.path()) == before, "after it was used");
    }
    CHECK_MESSAGE(content_of(folder.path()) == before, "after it was closed");
    CHECK(targets_in(file) == row.targets);
  }
}

TEST_CASE("A copy for recovery leaves nothing in the temporary folder") {
  const TemporaryFolder folder, temporary;
  record_and_die(folder / "x.cassette", 1);
  ::setenv("TMPDIR", temporary.path().c_str(), 1);
  {
    auto reader = required(CassetteReader::open(folder / "x.cassette"));
    CHECK(names_in(temporary.path()).empty());
    CHECK(all_of(*reader).size() == 1);
  }
  CHECK(names_in(temporary.path()).empty());
  ::setenv("TMPDIR", "/none", 1);
  const auto refused = CassetteReader::open(folder / "x.cassette");
  ::unsetenv("TMPDIR");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == "cassette-hot-wal");
  CHECK(refused.error().detail.find("TMPDIR") != std::string::npos);
}

TEST_CASE("A take that a kill left open is interrupted, for readers at once and in the file with the next take") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record_and_die(file, 1);
  CHECK(required(required(CassetteReader::open(file))->takes()).at(0).state == TakeState::interrupted);
  record(file, {numbered(2)});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
  const auto takes = required(required(CassetteReader::open(file))->takes());
  REQUIRE(takes.size() == 2);
  CHECK(takes[0].state == TakeState::interrupted);
  CHECK(takes[1].state == TakeState::complete);
}

TEST_CASE("An exchange that a kill left open is cut") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  auto exchange = numbered(1);
  exchange.state = ExchangeState::open;
  auto writer = required(CassetteWriter::open(file, {}));
  required(writer->begin_take(TakeKind::replace));
  required(append(*writer, {exchange}));
  {
    auto reader = required(CassetteReader::open(file));
    CHECK(all_of(*reader).at(0).exchange.state == ExchangeState::open);
    CHECK(required(reader->takes()).at(0).state == TakeState::open);
  }
  writer.reset();
  {
    auto reader = required(CassetteReader::open(file));
    CHECK(all_of(*reader).at(0).exchange.state == ExchangeState::cut);
    CHECK(required(answer_of(*reader, 1)).exchange.state == ExchangeState::cut);
  }
  require_ok(required(CassetteWriter::open(file, {}))->close());
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(handle, "SELECT state FROM exchanges", -1, &statement, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  CHECK(std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))) == "cut");
  sqlite3_finalize(statement);
  sqlite3_close(handle);
}

TEST_CASE("A reader and a writer of one process do not disturb each other") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  auto reader = required(CassetteReader::open(file));

  auto writer = required(CassetteWriter::open(file, {}));
  CHECK(all_of(*reader).size() == 1);
  required(writer->begin_take(TakeKind::extend));
  const auto id = required(append(*writer, {numbered(2)}));
  CHECK_MESSAGE(required(reader->load(id, {})).exchange.request.target == "/tapes/2", "what was just recorded");
  CHECK(all_of(*reader).size() == 2);
  require_ok(reader->check_integrity());
  required(append(*writer, {numbered(3)}));
  require_ok(writer->end_take(TakeState::complete));
  require_ok(writer->close());
  writer.reset();

  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
  CHECK(all_of(*reader).size() == 3);
  CHECK(required(reader->load(id, {})).exchange.request.target == "/tapes/2");
}

TEST_CASE("A reader follows a writer of another process, which can close while the reader stays") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  auto reader = required(CassetteReader::open(file));
  int to_child[2], to_parent[2];
  REQUIRE(::pipe(to_child) == 0);
  REQUIRE(::pipe(to_parent) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    char byte = 0;
    const auto tell_and_wait = [&] {
      return ::write(to_parent[1], &byte, 1) == 1 && ::read(to_child[0], &byte, 1) == 1;
    };
    auto writer = CassetteWriter::open(file, {});
    bool fine = writer && tell_and_wait() && (*writer)->begin_take(TakeKind::replace);
    for (int n = 2; fine && n < 5; ++n) fine = append(**writer, {numbered(n)}) && tell_and_wait();
    fine = fine && (*writer)->end_take(TakeState::complete) && (*writer)->close();
    ::_exit(fine ? 0 : 1);
  }
  for (std::size_t expected = 1; expected < 5; ++expected) {
    char byte = 0;
    REQUIRE(::read(to_parent[0], &byte, 1) == 1);
    CHECK(all_of(*reader).size() == expected);
    REQUIRE(::write(to_child[1], &byte, 1) == 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
  CHECK(all_of(*reader).size() == 4);
  for (const int fd : {to_child[0], to_child[1], to_parent[0], to_parent[1]}) ::close(fd);
}

TEST_CASE("A cassette that was put in the place of another is noticed") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  record(folder / "new", {numbered(2)});
  auto reader = required(CassetteReader::open(file));
  require_ok(replace_cassette(folder / "new", file, std::chrono::milliseconds{0}));
  CHECK_MESSAGE(all_of(*reader).at(0).exchange.request.target == "/tapes/1", "the open one goes on");
  CHECK(targets_in(file) == std::vector<std::string>{"/tapes/2"});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
}

TEST_CASE("What a killed run left beside a cassette does not garble its replacement") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record_and_die(file, 1);
  record(folder / "new", {numbered(2)});
  require_ok(replace_cassette(folder / "new", file, std::chrono::milliseconds{0}));
  CHECK(targets_in(file) == std::vector<std::string>{"/tapes/2"});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
  require_ok(required(CassetteReader::open(file))->check_integrity());
}

TEST_CASE("A missing exchange is a failure, not an answer") {
  const TemporaryFolder folder;
  record(folder / "x.cassette", {numbered(1)});
  auto reader = required(CassetteReader::open(folder / "x.cassette"));
  CHECK_FALSE(reader->load(2, {}).has_value());
  CHECK(reader->load(1, {}).has_value());
  CHECK_FALSE(answer_of(*reader, 2).has_value());
  CHECK(answer_of(*reader, 1).has_value());
}

TEST_CASE("An answer whose body is missing is a failure") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  REQUIRE(execute(file, "PRAGMA foreign_keys = OFF; DELETE FROM bodies"));
  const auto answer = answer_of(*required(CassetteReader::open(file)), 1);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().detail.find("body 1 is missing") != std::string::npos);
}

TEST_CASE("An exchange of a kind that is yet to come is a failure of its own") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  REQUIRE(execute(file, "UPDATE exchanges SET kind = 'smell'"));
  auto reader = required(CassetteReader::open(file));
  for (const auto& loaded : {answer_of(*reader, 1), reader->load(1, {})}) {
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().code == "cassette-newer");
  }
}

TEST_CASE("A hold has the lock from its first load on until it is released") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  auto reader = required(CassetteReader::open(file));
  required(reader->load(1, {}));
  CHECK_MESSAGE(is_free(file), "after a load by itself");
  for (int round = 0; round < 2; ++round) {
    INFO("round ", round);
    require_ok(reader->hold());
    require_ok(reader->hold());
    required(reader->load(1, {}));
    CHECK_FALSE(is_free(file));
    CHECK_FALSE_MESSAGE(reader->load(2, {}).has_value(), "there is none");
    required(reader->load(1, {}));
    CHECK_FALSE(is_free(file));
    reader->release();
    CHECK(is_free(file));
  }
  reader->release();
  require_ok(reader->hold());
  required(reader->load(1, {}));
  reader.reset();
  CHECK_MESSAGE(is_free(file), "after the reader is gone");
}

TEST_CASE("A hold finds the answers that were recorded since it began") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(1)});
  auto writer = required(CassetteWriter::open(file, {}));
  required(writer->begin_take(TakeKind::extend));
  auto reader = required(CassetteReader::open(file));
  require_ok(reader->hold());
  required(reader->load(1, {}));
  for (int n = 2; n < 4; ++n) {
    const auto id = required(append(*writer, {numbered(n)}));
    CHECK(required(answer_of(*reader, id)).exchange.request.target == "/tapes/" + std::to_string(n));
  }
  reader->release();
  require_ok(writer->end_take(TakeState::complete));
  require_ok(writer->close());
  writer.reset();
  CHECK_MESSAGE(names_in(folder.path()) == std::vector<std::string>{"x.cassette"}, "the writer could close");
}

TEST_CASE("A hold that fails holds nothing") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(folder / "other", {numbered(1)});
  record(folder / "mine", {numbered(2)});
  std::filesystem::copy_file(folder / "mine", file);
  std::unique_ptr<CassetteReader> reader;
  {
    const auto writer = required(CassetteWriter::open(file, {}));
    required(writer->begin_take(TakeKind::extend));
    reader = required(CassetteReader::open(file));  // its connection does not outlive a visit while somebody records
  }
  std::filesystem::rename(folder / "other", file);
  for (const auto& side : {wal_of(file), shm_of(file)}) std::filesystem::remove(side);
  const auto held = reader->hold();
  REQUIRE_FALSE(held.has_value());
  CHECK(held.error().code == "cassette-foreign");
  reader->release();
  std::filesystem::rename(folder / "mine", file);
  require_ok(reader->hold());
  CHECK(required(reader->load(1, {})).exchange.request.target == "/tapes/2");
  reader->release();
  CHECK(is_free(file));
}
