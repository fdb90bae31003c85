#include "proxy/modes/exchange_recording.hpp"

namespace tapedeck {

ExchangeRecording::ExchangeRecording(RecordServices& services, bool is_recorded)
    : services_(services), is_recorded_(is_recorded) {
}

std::string& ExchangeRecording::held_body(Direction direction) {
  return direction == Direction::request ? exchange_.request.body.bytes : exchange_.response->body.bytes;
}

void ExchangeRecording::add(Direction direction, std::string_view piece, std::int64_t time_us) {
  auto& side = side_of(direction);
  note_event(direction, side.received, piece.size(), time_us);
  side.received += piece.size();
  if (!is_recorded_ || loss_) return;
  (side.stream ? side.backlog : held_body(direction)) += piece;
}

// Past the limit pieces are joined to the last one of their direction, so that a body in single bytes does not cost
// forty times its size.
void ExchangeRecording::note_event(Direction direction, std::uint64_t offset, std::uint64_t length,
                                   std::int64_t time_us) {
  auto& events = exchange_.events;
  if (events.size() >= events_max) {
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (event->direction != direction) continue;
      event->length = offset + length - event->offset;
      return;
    }
  }
  events.push_back({direction, ExchangeEvent::Kind::body_chunk, time_us, offset, length});
}

// One step of a body is with the writer while the next is gathered; only then does a fast peer have to wait.
awaitable<bool> ExchangeRecording::relieve(Direction direction) {
  auto& side = side_of(direction);
  if (!is_recorded_) co_return true;
  const auto executor = co_await asio::this_coro::executor;
  if (!side.stream && !loss_ && held_body(direction).size() > body_memory_bytes_max) become_long(direction, executor);
  while (side.stream && !loss_ && side.backlog.size() >= step_bytes) {
    const bool kept = co_await wait_for(side.last_step);
    if (!kept) break;
    auto step = side.backlog.substr(0, step_bytes);
    side.backlog.erase(0, step_bytes);
    keep_piece(direction, side.stream->push(step), executor);
  }
  co_return !loss_;
}

void ExchangeRecording::become_long(Direction direction, const Executor& executor) {
  // What auto leaves out shows by its status, and so before its body is whole.
  if (direction == Direction::response && !is_wanted()) {
    is_recorded_ = false;
    exchange_.request.body.bytes = {};
    exchange_.response->body.bytes = {};
    return;
  }
  auto& side = side_of(direction);
  side.stream = direction == Direction::request
                    ? services_.redactor.stream_request_body(exchange_.request)
                    : services_.redactor.stream_response_body(exchange_.request, *exchange_.response);
  side.backlog = std::move(held_body(direction));
  held_body(direction) = {};
  keep_heads(executor);
}

// What a crash leaves must not answer a request that was never whole, so the response stays out as long as the request
// still comes.
void ExchangeRecording::keep_heads(const Executor& executor) {
  Exchange heads = exchange_;
  heads.state = ExchangeState::open;
  heads.events.clear();
  if (!request_is_whole_) {
    heads.request.body.bytes.clear();
    heads.response.reset();
  }
  if (heads.response && heads.response->status == 0) heads.response.reset();
  auto redacted = services_.redactor.redact_long(std::move(heads), side_of(Direction::request).stream.get(),
                                                 side_of(Direction::response).stream.get());
  if (!redacted) {
    loss_ = redacted.error();
    return;
  }
  // Named only once the writer has it: what it never got cannot be taken back.
  const auto id = long_id_ ? *long_id_ : services_.queue.new_long_exchange();
  give(LongHeads{id, std::move(*redacted)}, executor);
  if (!loss_) long_id_ = id;
}

void ExchangeRecording::keep_piece(Direction direction, Result<RedactedBytes> bytes, const Executor& executor) {
  if (!bytes) {
    loss_ = bytes.error();
    return;
  }
  if (bytes->bytes().empty()) return;
  side_of(direction).last_step = give(LongPiece{*long_id_, direction, std::move(*bytes)}, executor);
}

void ExchangeRecording::keep_rest(Direction direction, const Executor& executor) {
  auto& side = side_of(direction);
  if (!side.stream || side.ended || loss_) return;
  side.ended = true;
  keep_piece(direction, side.stream->push(side.backlog), executor);
  side.backlog = {};
  if (!loss_) keep_piece(direction, side.stream->finish(), executor);
}

// A step that the queue does not take is lost, and with it the exchange.
std::shared_ptr<Commit> ExchangeRecording::give(RecordingStep step, const Executor& executor) {
  auto commit = std::make_shared<Commit>(executor);
  const auto on_committed = [commit, executor, &deliveries = services_.deliveries](Result<std::int64_t> result) {
    deliveries.put(executor, commit, std::move(result));
  };
  auto pushed = services_.queue.push(std::move(step), on_committed, RecordingQueue::Wake::later);
  // Behind all that is ready on this thread, whose exchanges then share one commit.
  asio::post(executor, [&queue = services_.queue] { queue.wake(); });
  if (!pushed) {
    loss_ = pushed.error();
    commit->result = pushed.error();
  }
  return commit;
}

awaitable<bool> ExchangeRecording::wait_for(std::shared_ptr<Commit> commit) {
  if (!commit) co_return true;
  error_code ignored;
  if (!commit->result) co_await commit->committed.async_wait(asio::redirect_error(use_awaitable, ignored));
  if (*commit->result) co_return true;
  if (!loss_) loss_ = commit->result->error();
  co_return false;
}

awaitable<void> ExchangeRecording::end_request() {
  note_request_end();
  const auto executor = co_await asio::this_coro::executor;
  keep_rest(Direction::request, executor);
}

awaitable<void> ExchangeRecording::give_up() {
  is_recorded_ = false;
  co_await drop();
}

awaitable<bool> ExchangeRecording::finish() {
  if (!is_recorded_) co_return co_await drop();
  if (!loss_ && !is_wanted()) co_return co_await drop();
  const auto executor = co_await asio::this_coro::executor;
  // A request that was held whole to be looked up is kept as what it is, a long one, so that it is found again.
  if (!is_long(Direction::request)) co_await relieve(Direction::request);
  keep_rest(Direction::request, executor);
  keep_rest(Direction::response, executor);
  if (!loss_) {
    auto redacted = long_id_
                        ? services_.redactor.redact_long(std::move(exchange_), side_of(Direction::request).stream.get(),
                                                         side_of(Direction::response).stream.get())
                        : services_.redactor.redact(std::move(exchange_));
    if (redacted) co_return co_await commit(std::move(*redacted));
    loss_ = redacted.error();
  }
  co_await drop();
  co_return false;
}

awaitable<bool> ExchangeRecording::commit(RedactedExchange exchange) {
  const auto executor = co_await asio::this_coro::executor;
  const auto counts = exchange.counts();
  const bool answered = exchange.exchange().response && exchange.exchange().state == ExchangeState::whole;
  const int status = answered ? exchange.exchange().response->status : 0;
  // By its heads alone a long request cannot be found again in this run; the next run reads it from the cassette.
  std::optional<RedactedExchange> copy;
  if (services_.on_kept && !is_long(Direction::request)) copy = exchange;
  auto last = long_id_ ? give(LongEnd{*long_id_, std::move(exchange)}, executor) : give(std::move(exchange), executor);
  const bool kept = co_await wait_for(last);
  if (!kept) co_return false;
  services_.statistics.note_recorded(status, counts);
  if (copy) services_.on_kept(*copy, **last->result);
  co_return true;
}

// Takes back what of a long exchange has been kept already.
awaitable<bool> ExchangeRecording::drop() {
  if (!long_id_) co_return true;
  const auto executor = co_await asio::this_coro::executor;
  auto last = give(LongEnd{*long_id_, std::nullopt}, executor);
  co_return co_await wait_for(last);
}

}  // namespace tapedeck
