#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

// Another process that has the cassette open for writing until it is let go or killed.
class OtherWriter {
 public:
  explicit OtherWriter(const std::filesystem::path& file) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(let_go_) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      auto writer = CassetteWriter::open(file, {});
      char byte = 0;
      const bool fine = writer && ::write(ready[1], &byte, 1) == 1 && ::read(let_go_[0], &byte, 1) == 1;
      ::_exit(fine && (*writer)->close() ? 0 : 1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~OtherWriter() {
    for (const int fd : let_go_) ::close(fd);
  }

  pid_t pid() const { return pid_; }
  void close_and_exit() {
    char byte = 0;
    REQUIRE(::write(let_go_[1], &byte, 1) == 1);
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    REQUIRE(status == 0);
  }
  void kill() {
    REQUIRE(::kill(pid_, SIGKILL) == 0);
    REQUIRE(::waitpid(pid_, nullptr, 0) == pid_);
  }

 private:
  int let_go_[2];
  pid_t pid_;
};

WriterOptions waiting(int wait_ms, std::function<void()> pause) {
  WriterOptions options;
  options.lock_wait_ms = std::chrono::milliseconds{wait_ms};
  options.environment.pause = [pause](std::chrono::milliseconds) { pause(); };
  return options;
}

}  // namespace

TEST_CASE("A cassette that another process writes is busy, and its pid is named") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  OtherWriter other(file);
  int pauses = 0;
  const auto opened = CassetteWriter::open(file, waiting(100, [&] { ++pauses; }));
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == "cassette-busy");
  CHECK(opened.error().detail.find("process " + std::to_string(other.pid())) != std::string::npos);
  CHECK_MESSAGE(pauses == 5, "pauses of 20 ms in 100 ms");
  CHECK(drop_last_take(file, std::chrono::milliseconds{0}).error().code == "cassette-busy");
  record(folder / "new", {});
  CHECK(replace_cassette(folder / "new", file, std::chrono::milliseconds{0}).error().code == "cassette-busy");
  other.close_and_exit();
}

TEST_CASE("A writer waits for another to finish") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  OtherWriter other(file);
  bool let_go = false;
  const auto pause = [&] {
    if (!let_go) other.close_and_exit();
    let_go = true;
  };
  auto writer = required(CassetteWriter::open(file, waiting(100, pause)));
  CHECK(let_go);
  require_ok(writer->close());
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
}

TEST_CASE("The lock of a killed writer is no obstacle") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  OtherWriter other(file);
  other.kill();
  CHECK(std::filesystem::exists(file.string() + ".lock"));
  auto writer = required(CassetteWriter::open(file, waiting(0, [] {})));
  require_ok(writer->close());
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
}

TEST_CASE("Two writers of one process exclude each other, by whatever name they know the file") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  auto writer = required(CassetteWriter::open(file, {}));
  std::filesystem::create_symlink(file, folder / "link");
  const auto second = CassetteWriter::open(folder / "link", waiting(0, [] {}));
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == "cassette-busy");
  CHECK(second.error().detail.find(std::to_string(::getpid())) != std::string::npos);
  require_ok(writer->close());
}
