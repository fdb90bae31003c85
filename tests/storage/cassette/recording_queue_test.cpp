#include "storage/cassette/recording_queue.hpp"

#include <array>
#include <future>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "storage/cassette/files.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"
#include "tests/support/faulty_vfs.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

std::unique_ptr<CassetteWriter> writer_in_take(const std::filesystem::path& file, const std::string& vfs = {}) {
  WriterOptions options;
  options.environment.vfs = vfs;
  auto writer = required(CassetteWriter::open(file, options));
  required(writer->begin_take(TakeKind::replace));
  return writer;
}

// Frames that end a transaction give the size of the database after it (file format, §4.1).
int commits_in_wal(const std::filesystem::path& file) {
  const auto wal = bytes_of(wal_of(file));
  constexpr std::size_t header = 32, frame = 24 + 4096;
  int commits = 0;
  for (std::size_t at = header; at + frame <= wal.size(); at += frame) {
    if (wal.substr(at + 4, 4) != std::string(4, '\0')) ++commits;
  }
  return commits;
}

// Keeps the writer thread in a callback, so that what is pushed meanwhile must wait in the queue.
class Gate {
 public:
  RecordingQueue::OnCommitted callback() {
    return [this](const Result<std::int64_t>&) {
      entered_.set_value();
      opened_.get_future().wait();
    };
  }
  void wait_until_entered() { entered_.get_future().wait(); }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> entered_, opened_;
};

Exchange without_number(int n) {
  auto exchange = numbered(n);
  exchange.finished_number = 0;
  return exchange;
}

}  // namespace

TEST_CASE("What waits in the queue is committed together and told in order") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  RecordingQueue queue(writer_in_take(file), 1000);
  const int before = commits_in_wal(file);
  Gate gate;
  require_ok(queue.push(redacted(without_number(0)), gate.callback()));
  gate.wait_until_entered();
  std::vector<int> told;
  for (int n = 1; n <= 600; ++n) {
    require_ok(queue.push(redacted(without_number(n)), [&told, n](const Result<std::int64_t>& committed) {
      CHECK(committed.has_value());
      told.push_back(n);
    }));
  }
  gate.open();
  auto writer = queue.stop();
  CHECK_MESSAGE(commits_in_wal(file) - before == 3, "one for the first, two for 600 in batches of 512");
  REQUIRE(told.size() == 600);
  CHECK(std::is_sorted(told.begin(), told.end()));

  require_ok(writer->end_take(TakeState::complete));
  require_ok(writer->close());
  auto reader = required(CassetteReader::open(file));
  const auto all = all_of(*reader);
  REQUIRE(all.size() == 601);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].exchange.request.target == "/tapes/" + std::to_string(i));
    CHECK(all[i].exchange.finished_number == i + 1);
  }
}

TEST_CASE("Several threads may push, and what they pushed is kept when the queue stops") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  RecordingQueue queue(writer_in_take(file), 10'000);
  std::atomic<int> told{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const Redactor redactor({}, Limits{});
      for (int n = 0; n < 200; ++n) {
        auto exchange = redactor.redact(without_number(thread * 1000 + n));
        if (exchange)
          (void)queue.push(std::move(*exchange), [&](const Result<std::int64_t>& done) { told += done ? 1 : 0; });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  auto writer = queue.stop();
  CHECK(told == 800);
  require_ok(writer->close());
  CHECK(targets_in(file).size() == 800);
}

TEST_CASE("What is pushed for later waits for a wake, for plenty of it, or for the end") {
  const TemporaryFolder folder;
  using Wake = RecordingQueue::Wake;
  SUBCASE("the end") {
    RecordingQueue queue(writer_in_take(folder / "x.cassette"), 1000);
    int told = 0;
    require_ok(queue.push(
        redacted(numbered(1)), [&](const Result<std::int64_t>&) { ++told; }, Wake::later));
    auto writer = queue.stop();
    CHECK(told == 1);
  }
  SUBCASE("a wake") {
    RecordingQueue queue(writer_in_take(folder / "x.cassette"), 1000);
    std::promise<void> told;
    require_ok(queue.push(
        redacted(numbered(1)), [&](const Result<std::int64_t>&) { told.set_value(); }, Wake::later));
    queue.wake();
    told.get_future().get();
  }
  SUBCASE("plenty") {
    RecordingQueue queue(writer_in_take(folder / "x.cassette"), 1000);
    std::promise<void> told;
    require_ok(queue.push(
        redacted(numbered(1)), [&](const Result<std::int64_t>&) { told.set_value(); }, Wake::later));
    for (int n = 2; n <= 64; ++n) {
      require_ok(queue.push(
          redacted(numbered(n)), [](const Result<std::int64_t>&) {}, Wake::later));
    }
    told.get_future().get();
  }
}

TEST_CASE("Behind the callbacks of a transaction it is told that they have been") {
  const TemporaryFolder folder;
  RecordingQueue queue(writer_in_take(folder / "x.cassette"), 1000);
  std::vector<std::string> told;
  queue.after_each_transaction([&] { told.push_back("end"); });
  Gate gate;
  require_ok(queue.push(redacted(numbered(1)), gate.callback()));
  gate.wait_until_entered();
  for (int n = 2; n <= 3; ++n) {
    require_ok(
        queue.push(redacted(numbered(n)), [&, n](const Result<std::int64_t>&) { told.push_back(std::to_string(n)); }));
  }
  gate.open();
  auto writer = queue.stop();
  CHECK(told == std::vector<std::string>{"end", "2", "3", "end"});
}

TEST_CASE("A full queue refuses and does not call back") {
  const TemporaryFolder folder;
  RecordingQueue queue(writer_in_take(folder / "x.cassette"), 2);
  Gate gate;
  int told = 0;
  const auto count = [&](const Result<std::int64_t>&) { ++told; };
  require_ok(queue.push(redacted(numbered(1)), gate.callback()));
  gate.wait_until_entered();
  require_ok(queue.push(redacted(numbered(2)), count));
  require_ok(queue.push(redacted(numbered(3)), count));
  const auto refused = queue.push(redacted(numbered(4)), count);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == "recording-queue-full");
  gate.open();
  auto writer = queue.stop();
  CHECK(told == 2);
}

TEST_CASE("After a failed commit everything fails alike, and what was committed stays") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  FaultyVfs::plan_nothing();
  RecordingQueue queue(writer_in_take(file, FaultyVfs::name), 1000);
  Gate gate;
  require_ok(queue.push(redacted(numbered(1)), gate.callback()));
  gate.wait_until_entered();
  // The writer thread stands still in the gate, so the layer below may be changed here.
  FaultyVfs::plan({FaultPlan::Kind::fail_once, SQLITE_FULL, 1});
  std::vector<std::string> codes;
  std::promise<void> first_told;
  const auto note = [&](const Result<std::int64_t>& committed) {
    if (codes.empty()) first_told.set_value();
    codes.push_back(committed ? "" : committed.error().code);
  };
  for (int n = 2; n < 700; ++n) require_ok(queue.push(redacted(numbered(n)), note));
  gate.open();
  first_told.get_future().wait();
  const auto refused = queue.push(redacted(numbered(701)), note);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == "cassette-write-failed");
  auto writer = queue.stop();
  CHECK(FaultyVfs::fired());
  FaultyVfs::plan_nothing();
  CHECK(codes.size() == 698);
  CHECK(std::all_of(codes.begin(), codes.end(), [](const auto& code) { return code == "cassette-write-failed"; }));
  require_ok(writer->end_take(TakeState::interrupted));
  require_ok(writer->close());
  CHECK(targets_in(file) == std::vector<std::string>{"/tapes/1"});
}

TEST_CASE("A stopped queue takes nothing more") {
  const TemporaryFolder folder;
  RecordingQueue queue(writer_in_take(folder / "x.cassette"), 10);
  auto writer = queue.stop();
  const auto refused = queue.push(redacted(numbered(1)), [](const Result<std::int64_t>&) { FAIL("called back"); });
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == "recording-stopped");
}

TEST_CASE("A large -wal is moved into the file between two batches") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  // A callback may still be in its gate when the loop goes on.
  std::array<Gate, 3> gates;
  RecordingQueue queue(writer_in_take(file), 1000);
  const auto size_before = std::filesystem::file_size(file);
  for (int n = 0; n < 3; ++n) {
    Gate& gate = gates.at(static_cast<std::size_t>(n));
    auto exchange = numbered(n);
    exchange.response->body.bytes = std::string(40'000'000, static_cast<char>('a' + n));
    require_ok(queue.push(redacted(exchange), gate.callback()));
    gate.wait_until_entered();
    gate.open();
  }
  auto writer = queue.stop();
  CHECK(std::filesystem::file_size(file) > size_before + 80'000'000);
  writer.reset();
  CHECK(targets_in(file).size() == 3);
}
