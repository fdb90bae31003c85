// What a Forwarding does with a request's body that is still to come: a second coroutine pumps it to the upstream.

#include "proxy/modes/forwarding.hpp"

namespace tapedeck {

void Forwarding::start_upload() {
  const auto executor = upstream_->stream.socket().get_executor();
  upload_ended_.emplace(executor, SteadyTime::max());
  asio::co_spawn(executor, pump_upload(), asio::detached);
}

awaitable<void> Forwarding::pump_upload() {
  co_await upload_loop();
  if (upload_ == Upload::whole) {
    exchange_.request_sent_us = elapsed_us();
    upstream_->stream.expire_at(std::chrono::steady_clock::now() + services_.options.limits.first_byte_timeout_ms);
  } else {
    // Nothing more comes for this request, so nothing that the upstream might still say is an answer to it.
    if (upload_ != Upload::upstream_failed) upstream_->stream.cut();
  }
  upload_ended_->cancel();
}

awaitable<void> Forwarding::upload_loop() {
  while (upload_ == Upload::going_on) {
    const auto event = co_await client_.read_body();
    switch (event.kind) {
      case BodyDecoder::Event::Kind::data:
        if (!co_await upload_piece(event.data)) co_return;
        break;
      case BodyDecoder::Event::Kind::end:
        co_await finish_upload();
        co_return;
      case BodyDecoder::Event::Kind::refused:
        upload_ = event.refusal.code == "client-left" ? Upload::client_left : Upload::refused;
        upload_refusal_ = event.refusal;
        co_return;
      case BodyDecoder::Event::Kind::need_more:
        break;
    }
  }
}

awaitable<bool> Forwarding::upload_piece(std::string_view piece) {
  recording_.add(Direction::request, piece, elapsed_us());
  upstream_->state.on_request_body();
  std::string out;
  if (exchange_.request.body.framing == BodyFraming::chunked) {
    out = chunk_head(piece.size());
    out += piece;
    out += "\r\n";
    piece = out;
  }
  upstream_->stream.expire_at(std::chrono::steady_clock::now() + services_.options.limits.body_idle_timeout_ms);
  if (co_await upstream_->stream.write(piece)) {
    // An upstream that stops reading often has answered before; what it said is read to its end by the other coroutine.
    upload_ = Upload::upstream_failed;
    co_return false;
  }
  upstream_->stream.never_expire();
  const bool kept = co_await recording_.relieve(Direction::request);
  if (!kept) upload_ = Upload::not_kept;
  co_return kept;
}

awaitable<void> Forwarding::finish_upload() {
  auto& request = exchange_.request;
  request.trailers = client_.request_trailers();
  if (request.body.framing == BodyFraming::chunked) {
    const auto end = last_chunk(request.trailers);
    upstream_->stream.expire_at(std::chrono::steady_clock::now() + services_.options.limits.body_idle_timeout_ms);
    if (const auto error = co_await upstream_->stream.write(end)) {
      upload_ = Upload::upstream_failed;
      co_return;
    }
  }
  end_request();
  co_await recording_.end_request();
  upload_ = Upload::whole;
}

// An answer may be whole before the upload is. An upstream that turns the request down, or will close, has no use for
// the rest, and a client that waits for the answer's end must not be kept waiting; otherwise the upload may go on as
// long as it moves.
awaitable<void> Forwarding::join_upload() {
  if (!upload_ended_) co_return;
  const bool upstream_reads_on = !exchange_.failure && !recording_.loss() && upstream_stays_ && exchange_.response &&
                                 exchange_.response->status < 400;
  error_code ignored;
  auto uploaded = recording_.body_bytes(Direction::request);
  while (upload_ == Upload::going_on && upstream_reads_on) {
    upload_ended_->expires_after(services_.options.limits.early_answer_grace_ms);
    co_await upload_ended_->async_wait(asio::redirect_error(use_awaitable, ignored));
    const auto now_uploaded = recording_.body_bytes(Direction::request);
    if (now_uploaded == uploaded) break;
    uploaded = now_uploaded;
  }
  if (upload_ != Upload::going_on) co_return;
  facts_.close = true;
  client_.stop_reading();
  upload_ended_->expires_at(SteadyTime::max());
  co_await upload_ended_->async_wait(asio::redirect_error(use_awaitable, ignored));
  if (upload_ == Upload::client_left) upload_ = Upload::upstream_failed;
}

}  // namespace tapedeck
