#include "proxy/modes/turn_reader.hpp"

namespace tapedeck {

TurnReader::TurnReader(Executor executor, std::unique_ptr<CassetteReader> reader)
    : executor_(executor), reader_(std::move(reader)) {
}

Result<void> TurnReader::load_answer(std::int64_t id, std::uint64_t body_bytes_max, StoredExchange& answer) {
  ++loads_;
  if (auto held = hold(); !held) return held;
  return reader_->load_answer(id, body_bytes_max, answer);
}

Result<void> TurnReader::load_piece(const StoredBody& body, std::uint64_t n, std::string& bytes) {
  return reader_->load_piece(body, n, bytes);
}

// What is posted runs behind all that is ready now.
Result<void> TurnReader::hold() {
  if (++loads_in_hold_ > loads_per_hold_max) {
    loads_in_hold_ = 1;
    reader_->release();
  }
  if (!release_is_posted_) {
    release_is_posted_ = true;
    asio::post(executor_, [this] {
      release_is_posted_ = false;
      loads_in_hold_ = 0;
      reader_->release();
    });
  }
  return reader_->hold();
}

}  // namespace tapedeck
