#include "storage/cassette/sqlite/frame_gatherer.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

constexpr std::size_t frame_head_bytes = 24;
constexpr std::size_t page_bytes_max = 64 * 1024;
// What SQLite's unix layer writes at a time; it takes the size modulo one more.
constexpr std::size_t write_bytes_max = 128 * 1024 - 1;
// With so much and another frame to come it is time to write.
constexpr std::size_t plenty_bytes = write_bytes_max - frame_head_bytes - page_bytes_max;

// Bytes 4 to 8: the pages of the database when the transaction ends with this frame, else 0.
bool is_last_of_transaction(std::string_view frame_head) {
  return frame_head.substr(4, 4) != std::string_view("\0\0\0\0", 4);
}

}  // namespace

FrameGatherer::FrameGatherer(std::uint64_t log_bytes) : end_(log_bytes) {
  gathered_.reserve(write_bytes_max);
}

FrameGatherer::Then FrameGatherer::offer(std::string_view bytes, std::uint64_t at) noexcept {
  const bool is_appended = at == end_ && (page_follows_ || bytes.size() == frame_head_bytes);
  if (!is_appended) {
    page_follows_ = false;
    // A log that begins anew writes over what it had.
    end_ = at == 0 ? bytes.size() : std::max(end_, at + bytes.size());
    return Then::write_directly;
  }
  if (gathered_.empty()) gathered_at_ = at;
  gathered_ += bytes;
  end_ += bytes.size();
  page_follows_ = !page_follows_;
  if (page_follows_) {
    commits_ = is_last_of_transaction(bytes);
    return Then::wait;
  }
  return commits_ || gathered_.size() > plenty_bytes ? Then::write_gathered : Then::wait;
}

void FrameGatherer::clear() {
  gathered_.clear();
  page_follows_ = false;
}

void FrameGatherer::drop() {
  if (!gathered_.empty()) end_ = gathered_at_;
  clear();
}

void FrameGatherer::truncated(std::uint64_t log_bytes) {
  page_follows_ = false;
  end_ = std::min(end_, log_bytes);
}

}  // namespace tapedeck
