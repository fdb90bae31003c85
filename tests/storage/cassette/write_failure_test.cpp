// A run of recording fails, or is killed, at each operation on a file in turn, until one goes through untouched.
// Whatever happened: what was acknowledged is there, a batch is there whole or not at all, and the file is sound.

#include <algorithm>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/storage/cassette/cassette_fixture.hpp"
#include "tests/support/faulty_vfs.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

constexpr int batches = 3;

// Two exchanges; in the first batch one has a body of two pieces.
std::vector<Exchange> batch(int n) {
  auto first = numbered(2 * n);
  auto second = numbered(2 * n + 1);
  if (n == 0) second.response->body.bytes = std::string(70'000, 'a');
  return {first, second};
}

// What a run got done. `acknowledged` is called for each batch as soon as it is committed.
struct Outcome {
  bool opened = false;
  bool closed = false;
  std::vector<Failure> failures;
};

Outcome run(const std::filesystem::path& file, const std::function<void(int)>& acknowledged) {
  Outcome outcome;
  const auto fine = [&](const auto& result) {
    if (!result) outcome.failures.push_back(result.error());
    return result.has_value();
  };
  WriterOptions options;
  options.environment.vfs = FaultyVfs::name;
  options.lock_wait_ms = std::chrono::milliseconds{0};
  auto opened = CassetteWriter::open(file, options);
  if (!fine(opened)) return outcome;
  outcome.opened = true;
  CassetteWriter& writer = **opened;
  if (!fine(writer.begin_take(TakeKind::replace))) return outcome;
  for (int n = 0; n < batches; ++n) {
    if (fine(append(writer, batch(n)))) acknowledged(n);
  }
  if (!fine(writer.end_take(TakeState::complete))) return outcome;
  outcome.closed = fine(writer.close());
  return outcome;
}

std::vector<int> batches_in(const std::filesystem::path& file, std::int64_t take) {
  auto reader = required(CassetteReader::open(file));
  std::vector<std::string> targets;
  for (const auto& stored : all_of(*reader)) {
    if (stored.take_ordinal == take) targets.push_back(stored.exchange.request.target);
  }
  std::vector<int> found;
  for (int n = 0; n < batches; ++n) {
    const auto has = [&](int i) { return std::count(targets.begin(), targets.end(), "/tapes/" + std::to_string(i)); };
    REQUIRE_MESSAGE(has(2 * n) == has(2 * n + 1), "batch ", n, " is there by half");
    if (has(2 * n) > 0) found.push_back(n);
  }
  return found;
}

// Checks what a failed or killed run has left, first as a reader finds it, then after another writer.
void check_what_is_left(const TemporaryFolder& folder, const std::vector<int>& acknowledged, bool had_a_take) {
  const auto file = folder / "x.cassette";
  const std::int64_t take = had_a_take ? 2 : 1;
  std::error_code error;
  const bool is_cassette = std::filesystem::exists(file) && CassetteReader::open(file).has_value();
  if (!is_cassette) {
    CHECK_FALSE(had_a_take);
    CHECK(acknowledged.empty());
  }

  std::vector<int> found;
  if (is_cassette) {
    const auto before = content_of(folder.path());
    require_ok(required(CassetteReader::open(file))->check_integrity());
    found = batches_in(file, take);
    CHECK(std::includes(found.begin(), found.end(), acknowledged.begin(), acknowledged.end()));
    CHECK_MESSAGE(content_of(folder.path()) == before, "reading changed something");
  }
  record(file, {numbered(100)});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
  auto reader = required(CassetteReader::open(file));
  require_ok(reader->check_integrity());
  CHECK(batches_in(file, take) == found);
  for (const auto& left : required(reader->takes())) CHECK(left.state != TakeState::open);
  if (had_a_take) CHECK(all_of(*reader).at(0).exchange.request.target == "/tapes/50");
}

struct Fault {
  const char* name;
  FaultPlan::Kind kind;
  int result_code;
};

}  // namespace

TEST_CASE("Every operation fails in turn and nothing acknowledged is lost") {
  const Fault faults[] = {
      {"an I/O error", FaultPlan::Kind::fail_once, SQLITE_IOERR_WRITE},
      {"a disk full for a moment", FaultPlan::Kind::fail_once, SQLITE_FULL},
      {"a disk full from then on", FaultPlan::Kind::fail_from_then, SQLITE_FULL},
      {"a disk that is gone from then on", FaultPlan::Kind::fail_from_then, SQLITE_IOERR_WRITE},
  };
  for (const auto& fault : faults) {
    for (const bool had_a_take : {false, true}) {
      for (int at = 1;; ++at) {
        INFO("fault: ", std::string(fault.name));
        CAPTURE(had_a_take);
        CAPTURE(at);
        REQUIRE(at < 1000);
        const TemporaryFolder folder;
        const auto file = folder / "x.cassette";
        if (had_a_take) record(file, {numbered(50)});
        FaultyVfs::plan({fault.kind, fault.result_code, at});
        std::vector<int> acknowledged;
        const auto outcome = run(file, [&](int n) { acknowledged.push_back(n); });
        const bool fired = FaultyVfs::fired();
        FaultyVfs::plan_nothing();
        for (const auto& failure : outcome.failures) {
          CHECK_MESSAGE((failure.code == "cassette-write-failed" || failure.code == "cassette-unwritable"),
                        failure.code << ": " << failure.detail);
        }
        if (!fired) {
          CHECK(outcome.closed);
          break;
        }
        if (!outcome.opened && !had_a_take) CHECK(names_in(folder.path()).empty());
        check_what_is_left(folder, acknowledged, had_a_take);
      }
    }
  }
}

TEST_CASE("Killed at every operation, a run keeps what it acknowledged") {
  for (const auto kind :
       {FaultPlan::Kind::die_before, FaultPlan::Kind::die_half_written, FaultPlan::Kind::die_at_last_byte}) {
    for (const bool had_a_take : {false, true}) {
      for (int at = 1;; ++at) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(had_a_take);
        CAPTURE(at);
        REQUIRE(at < 1000);
        const TemporaryFolder folder;
        const auto file = folder / "x.cassette";
        if (had_a_take) record(file, {numbered(50)});
        int pipe_ends[2];
        REQUIRE(::pipe(pipe_ends) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
          FaultyVfs::plan({kind, SQLITE_OK, at});
          const auto outcome = run(file, [&](int n) {
            const char byte = static_cast<char>(n);
            (void)!::write(pipe_ends[1], &byte, 1);
          });
          ::_exit(outcome.closed ? 0 : 1);
        }
        ::close(pipe_ends[1]);
        std::vector<int> acknowledged;
        for (char byte; ::read(pipe_ends[0], &byte, 1) == 1;) acknowledged.push_back(byte);
        ::close(pipe_ends[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFEXITED(status)) {
          CHECK(WEXITSTATUS(status) == 0);
          break;
        }
        REQUIRE(WTERMSIG(status) == SIGKILL);
        check_what_is_left(folder, acknowledged, had_a_take);
      }
    }
  }
}

TEST_CASE("A full disk is named, and the take goes on when there is room again") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  WriterOptions options;
  options.environment.vfs = FaultyVfs::name;
  FaultyVfs::plan_nothing();
  auto writer = required(CassetteWriter::open(file, options));
  required(writer->begin_take(TakeKind::replace));
  required(append(*writer, {numbered(1)}));

  FaultyVfs::plan({FaultPlan::Kind::fail_from_then, SQLITE_FULL, 1});
  const auto failed = append(*writer, {numbered(2), numbered(3)});
  FaultyVfs::plan_nothing();
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == "cassette-write-failed");
  CHECK(failed.error().blame == Blame::us);
  CHECK(failed.error().detail.find("disk is full") != std::string::npos);
  CHECK(failed.error().detail.find(file.string()) != std::string::npos);

  required(append(*writer, {numbered(4)}));
  require_ok(writer->end_take(TakeState::complete));
  require_ok(writer->close());
  CHECK(targets_in(file) == std::vector<std::string>{"/tapes/1", "/tapes/4"});
}
