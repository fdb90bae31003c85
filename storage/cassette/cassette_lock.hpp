#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "config/result.hpp"
#include "storage/cassette/files.hpp"

namespace tapedeck {

// The right to write a cassette: a locked file `<cassette>.lock` with the holder's pid inside. The kernel lets go of
// the lock when the holder dies, so a file that was left behind is no obstacle.
class CassetteLock {
 public:
  using Pause = std::function<void(std::chrono::milliseconds)>;

  // Waits for another holder by pausing and trying again. Failures: cassette-busy (names the pid), cassette-unwritable.
  static Result<std::unique_ptr<CassetteLock>> take(const std::filesystem::path& cassette,
                                                    std::chrono::milliseconds wait_ms, const Pause& pause);
  CassetteLock(const CassetteLock&) = delete;
  CassetteLock& operator=(const CassetteLock&) = delete;
  ~CassetteLock();  // removes the file

 private:
  CassetteLock(std::filesystem::path file, UniqueFd fd) : file_(std::move(file)), fd_(std::move(fd)) {}
  std::filesystem::path file_;
  UniqueFd fd_;
};

// Whether a writer is at work, found without changing anything. If none is, none starts while `hold` lives, unless
// there was no lock file.
struct WriterProbe {
  bool writer_at_work = false;
  UniqueFd hold;
};
WriterProbe probe_writer(const std::filesystem::path& cassette);

}  // namespace tapedeck
