#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck {

// Decides which of the writes to a write-ahead log wait for others, so that a transaction is few writes instead of two
// a frame. SQLite appends a frame as its head of 24 bytes and then its page; the head of a transaction's last frame
// says how many pages the database has then, all others 0 (https://sqlite.org/fileformat2.html#the_write_ahead_log).
// Frames that are appended wait until that last one; whatever else is written to a log is written at once.
class FrameGatherer {
 public:
  // The log has `log_bytes` by now; what lies before its end is not appended.
  explicit FrameGatherer(std::uint64_t log_bytes);

  enum class Then {
    wait,            // the bytes are kept
    write_gathered,  // they are kept, and now all that is has to be written
    write_directly,  // they are not; what is kept has to be written first, and then they
  };
  // Does not throw: all the memory that it needs is there from the start.
  Then offer(std::string_view bytes, std::uint64_t at) noexcept;

  // What is kept, and where in the log it belongs.
  std::string_view gathered() const { return gathered_; }
  std::uint64_t gathered_at() const { return gathered_at_; }
  // It has been written.
  void clear();
  // It never will be: the log ends where it began.
  void drop();
  void truncated(std::uint64_t log_bytes);

 private:
  std::string gathered_;
  std::uint64_t gathered_at_ = 0;
  std::uint64_t end_;
  bool page_follows_ = false;
  bool commits_ = false;
};

}  // namespace tapedeck
