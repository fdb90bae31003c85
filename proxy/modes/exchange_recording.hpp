#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/modes/record_handler.hpp"
#include "proxy/runtime/asio.hpp"

namespace tapedeck {

// Puts one exchange together as it passes, and keeps it. One whose bodies fit into memory is kept at its end. A body
// that outgrows `body_memory_bytes_max` makes the exchange a long one: it then has a row in state `open`, and what
// comes of the body is redacted and committed piece by piece. Lives in one coroutine's frame; the two coroutines of an
// exchange (one a direction, both on one thread) use it.
class ExchangeRecording {
 public:
  // What is not recorded only passes: nothing of its bodies is held.
  ExchangeRecording(RecordServices& services, bool is_recorded);

  // Heads, times and failure are the caller's to fill in. A body is here whole unless is_long().
  Exchange& exchange() { return exchange_; }
  bool is_long(Direction direction) const { return side_of(direction).stream != nullptr; }
  std::uint64_t body_bytes(Direction direction) const { return side_of(direction).received; }

  // A piece of a body came at that time. Takes no time; relieve() has to be called before more is read.
  void add(Direction direction, std::string_view piece, std::int64_t time_us);
  // The request is whole; what of it still waits is given to the writer, so that its secrets are known when the answer
  // is searched for them.
  void note_request_end() { request_is_whole_ = true; }
  awaitable<void> end_request();
  // Waits until what is not yet committed of that body is little again. False when the exchange cannot be kept.
  awaitable<bool> relieve(Direction direction);
  // Commits the exchange as it is now. False when it could not be kept; true as well for one that is not to be.
  awaitable<bool> finish();
  // The exchange is not to be kept after all.
  awaitable<void> give_up();
  // Why the exchange cannot be kept.
  const std::optional<Failure>& loss() const { return loss_; }

 private:
  static constexpr std::size_t events_max = 10'000;
  static constexpr std::size_t step_bytes = 512 * 1024;

  struct Side {
    std::uint64_t received = 0;
    std::unique_ptr<BodyRedactionStream> stream;  // of a long body
    std::string backlog;                          // of a long body: came and is not yet with the writer
    std::shared_ptr<Commit> last_step;
    bool ended = false;
  };

  Side& side_of(Direction direction) { return sides_[static_cast<std::size_t>(direction)]; }
  const Side& side_of(Direction direction) const { return sides_[static_cast<std::size_t>(direction)]; }
  std::string& held_body(Direction direction);
  void note_event(Direction direction, std::uint64_t offset, std::uint64_t length, std::int64_t time_us);

  void become_long(Direction direction, const Executor& executor);
  void keep_heads(const Executor& executor);
  void keep_piece(Direction direction, Result<RedactedBytes> bytes, const Executor& executor);
  void keep_rest(Direction direction, const Executor& executor);
  std::shared_ptr<Commit> give(RecordingStep step, const Executor& executor);
  awaitable<bool> wait_for(std::shared_ptr<Commit> commit);
  awaitable<bool> commit(RedactedExchange exchange);
  awaitable<bool> drop();
  bool is_wanted() const { return !services_.is_kept || services_.is_kept(exchange_); }

  RecordServices& services_;
  bool is_recorded_;
  bool request_is_whole_ = false;
  Exchange exchange_;
  std::array<Side, 2> sides_;  // by direction
  std::optional<LongExchangeId> long_id_;
  std::optional<Failure> loss_;
};

}  // namespace tapedeck
