#include "proxy/modes/forwarding.hpp"

#include <cassert>

#include "proxy/modes/problem.hpp"
#include "proxy/runtime/log.hpp"

namespace tapedeck {

namespace {

using Phase = NetworkFailure::Phase;
using Kind = NetworkFailure::Kind;

// What is still to come from the client has the length that the client announced; what is here has its own.
std::optional<std::uint64_t> request_length(const Request& request) {
  if (request.body.bytes.empty()) return std::nullopt;
  return request.body.bytes.size();
}

std::int64_t unix_time_us() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
}

}  // namespace

Forwarding::Forwarding(RecordServices& services, UpstreamPool& pool, ClientChannel& client, Request request,
                       RequestFacts facts, bool body_is_read)
    : services_(services),
      pool_(pool),
      client_(client),
      facts_(std::move(facts)),
      recording_(services, facts_.recorded),
      exchange_(recording_.exchange()),
      tells_continue_(!facts_.http_1_0 && !body_is_read && facts_.expects_continue),
      started_at_(std::chrono::steady_clock::now()) {
  exchange_.session = facts_.session;
  exchange_.way_in = facts_.way_in;
  exchange_.client_protocol = facts_.http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
  exchange_.started_at_us = unix_time_us();
  exchange_.started_number = services.next_started_number.fetch_add(1);
  exchange_.request = std::move(request);
  if (body_is_read)
    recording_.note_request_end();
  else
    upload_ = Upload::going_on;
  // What the client has been told already by us (auto mode has read the body) the upstream need not say again.
  if (body_is_read) exchange_.request.headers.remove("Expect");
}

awaitable<bool> Forwarding::run() {
  co_await exchange_with_upstream();
  if (upload_ == Upload::refused) {
    co_await recording_.give_up();
    const auto refusal = problem_response({upload_refusal_.status, std::string(upload_refusal_.code),
                                           "The request's body was refused", std::string(upload_refusal_.detail)});
    co_return co_await answer_instead(refusal);
  }
  co_return co_await finish();
}

// A connection from the pool may have been closed by the upstream at the moment it was taken. The request is then sent
// once more on a new one, if no byte of an answer came and all of the request is still here (decision 5).
awaitable<void> Forwarding::exchange_with_upstream() {
  for (int attempt = 1; attempt <= 2; ++attempt) {
    auto dialled = co_await pool_.acquire(facts_.origin, attempt == 1);
    if (auto* failure = std::get_if<NetworkFailure>(&dialled)) {
      exchange_.failure = std::move(*failure);
      co_return;
    }
    upstream_ = std::move(std::get<0>(dialled));
    exchange_.failure.reset();
    bool whole = co_await send_request();
    if (whole) whole = co_await read_response();
    if (!whole && exchange_.failure && may_retry(exchange_.first_byte_us != 0)) continue;
    co_await join_upload();
    co_return;
  }
}

bool Forwarding::may_retry(bool response_began) const {
  // What is not recorded is not held either, and a long body only in part.
  const bool is_held = recording_.body_bytes(Direction::request) == exchange_.request.body.bytes.size();
  const bool request_is_here = upload_ == Upload::none || (upload_ == Upload::whole && is_held);
  return upstream_->reused && !response_began && request_is_here && exchange_.failure->kind != Kind::timeout &&
         exchange_.request.body.bytes.size() <= services_.options.limits.replay_retry_bytes_max;
}

// --- the request -----------------------------------------------------------------------------------------------------

// The head, with the body when it is here; else the pump is started, which sends it as it comes.
awaitable<bool> Forwarding::send_request() {
  const auto& request = exchange_.request;
  const bool chunked = request.body.framing == BodyFraming::chunked;
  auto bytes = forwarded_head(request, request_length(request), *upstream_->next_hop);
  if (upload_ != Upload::going_on && request.body.framing != BodyFraming::none) {
    if (chunked && !request.body.bytes.empty()) bytes += chunk_head(request.body.bytes.size());
    bytes += request.body.bytes;
    if (chunked && !request.body.bytes.empty()) bytes += "\r\n";
    if (chunked) bytes += last_chunk(request.trailers);
  }
  auto& stream = upstream_->stream;
  stream.expire_at(std::chrono::steady_clock::now() + services_.options.limits.body_idle_timeout_ms);
  if (const auto error = co_await stream.write(bytes)) {
    fail(Phase::send_request, error);
    co_return false;
  }
  [[maybe_unused]] const bool begun = upstream_->state.on_request_head(true, false, request.headers.contains("Expect"));
  assert(begun);
  if (upload_ == Upload::going_on) {
    stream.never_expire();  // Until the next write the client is waited for, who is blamed when nothing comes.
    start_upload();
  } else {
    end_request();
    exchange_.request_sent_us = elapsed_us();
    stream.expire_at(std::chrono::steady_clock::now() + services_.options.limits.first_byte_timeout_ms);
  }
  co_return true;
}

void Forwarding::end_request() {
  [[maybe_unused]] const bool ended = upstream_->state.on_request_end();
  assert(ended);
}

// --- the response ----------------------------------------------------------------------------------------------------

awaitable<bool> Forwarding::read_response() {
  if (!co_await read_final_head()) co_return false;
  const auto framing = response_framing(head_, exchange_.request.method);
  begin_response(framing);
  upstream_->input.consume(head_.head_bytes);
  response_body_.emplace(framing, services_.options.limits);
  const bool whole = co_await read_response_body();
  response_body_.reset();
  exchange_.finished_us = elapsed_us();
  co_return whole;
}

// Reads heads until one is final; 1xx answers go on to the client at once (RFC 9110 §15.2).
awaitable<bool> Forwarding::read_final_head() {
  while (true) {
    const auto scan = scan_response_head(view_of(upstream_->input), services_.options.limits, head_);
    if (scan.outcome == HeadScan::Outcome::refused) {
      fail_protocol(Phase::await_response, scan.refusal.detail);
      co_return false;
    }
    if (scan.outcome == HeadScan::Outcome::need_more) {
      if (const auto error = co_await read_upstream()) {
        fail(Phase::await_response, error);
        co_return false;
      }
      if (exchange_.first_byte_us == 0) exchange_.first_byte_us = elapsed_us();
      continue;
    }
    if (head_.status == 407 && upstream_->next_hop->absolute_form) {
      exchange_.failure = pool_.refused_by_parent(head_.status);
      exchange_.response.reset();
      co_return false;
    }
    if (head_.status >= 200) co_return true;
    if (!note_interim()) co_return false;
    co_await flush_to_client();
  }
}

bool Forwarding::note_interim() {
  auto& interim = exchange_.response ? exchange_.response->interim : exchange_.response.emplace().interim;
  if (head_.status == 101 || interim.size() >= services_.options.limits.interim_responses_max) {
    fail_protocol(Phase::await_response, head_.status == 101 ? "it switched protocols though nobody asked it to"
                                                             : "it sent too many 1xx answers");
    exchange_.response.reset();
    return false;
  }
  InterimResponse response;
  response.status = head_.status;
  response.reason = head_.reason;
  response.headers = head_.headers();
  const bool client_wants_it = !facts_.http_1_0 && (head_.status != 100 || tells_continue_);
  if (client_wants_it) client_.output() += served_interim_head(response);
  interim.push_back(std::move(response));
  [[maybe_unused]] const bool in_turn = upstream_->state.on_response_head(head_.status, true);
  assert(in_turn);
  upstream_->input.consume(head_.head_bytes);
  return true;
}

void Forwarding::begin_response(MessageFraming framing) {
  auto& response = exchange_.response ? *exchange_.response : exchange_.response.emplace();
  response.status = head_.status;
  response.reason = head_.reason;
  response.headers = head_.headers();
  response.body.framing = framing.framing;
  exchange_.upstream_protocol = head_.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
  upstream_stays_ = head_.keep_alive() && framing.framing != BodyFraming::until_close;
  [[maybe_unused]] const bool in_turn = upstream_->state.on_response_head(head_.status, upstream_stays_);
  assert(in_turn);
  if (upload_ == Upload::going_on) facts_.close = true;

  const auto served = served_framing(response, facts_.served_context());
  response_chunked_ = served == BodyFraming::chunked;
  if (served == BodyFraming::until_close) facts_.close = true;
  std::optional<std::uint64_t> body_bytes;
  if (framing.framing == BodyFraming::content_length) body_bytes = framing.content_length;
  client_.output() += served_head(response, facts_.served_context(), facts_.origin, body_bytes);
}

// Passes the body on. Output is flushed only before a wait for more of the answer, so that at no time the last byte (or
// the last chunk, or the head of an answer without body) is on its way before finish() has committed the exchange.
awaitable<bool> Forwarding::read_response_body() {
  while (true) {
    const auto input = view_of(upstream_->input);
    const auto event = response_body_->next(input);
    if (event.kind == BodyDecoder::Event::Kind::data) append_response_piece(event.data);
    upstream_->input.consume(event.consumed);
    if (event.kind == BodyDecoder::Event::Kind::end) break;
    if (event.kind == BodyDecoder::Event::Kind::refused) {
      fail_protocol(Phase::read_response, event.refusal.detail);
      co_return false;
    }
    if (event.kind == BodyDecoder::Event::Kind::data) continue;

    if (!client_left_) sent_anything_ = true;
    co_await flush_to_client();
    const bool kept = co_await recording_.relieve(Direction::response);
    if (!kept) co_return false;
    if (!is_worth_reading_on()) {
      fail(Phase::read_response, asio::error::operation_aborted);
      co_return false;
    }
    if (const auto error = co_await read_upstream()) {
      if (error == asio::error::eof && response_body_->at_eof().kind == BodyDecoder::Event::Kind::end) break;
      fail(Phase::read_response, error);
      co_return false;
    }
  }
  [[maybe_unused]] const bool ended = upstream_->state.on_response_end();
  assert(ended);
  exchange_.response->trailers = response_body_->trailers();
  if (response_chunked_) client_.output() += last_chunk(exchange_.response->trailers);
  co_return true;
}

void Forwarding::append_response_piece(std::string_view piece) {
  recording_.add(Direction::response, piece, elapsed_us());
  if (client_left_) return;
  response_bytes_for_client_ += piece.size();
  auto& output = client_.output();
  if (response_chunked_) output += chunk_head(piece.size());
  output += piece;
  if (response_chunked_) output += "\r\n";
}

// An answer whose client has left is read to its end, since whole it is worth keeping, but not for ever.
bool Forwarding::is_worth_reading_on() const {
  return !client_left_ || recording_.body_bytes(Direction::response) - response_bytes_for_client_ <=
                              services_.options.limits.abandoned_response_bytes_max;
}

awaitable<error_code> Forwarding::read_upstream() {
  auto& stream = upstream_->stream;
  const auto& limits = services_.options.limits;
  // While the request goes up, the client's pace decides; its own time limits hold then.
  if (upload_ != Upload::going_on) {
    const auto now = std::chrono::steady_clock::now();
    if (response_body_) {
      stream.expire_at(now + limits.body_idle_timeout_ms);
    } else if (upstream_->input.size() == 0) {
      // From then on the whole head has this time, however slowly its bytes come.
      stream.expire_at(now + limits.first_byte_timeout_ms);
    }
  }
  co_return co_await stream.read_some(upstream_->input);
}

// --- the end ---------------------------------------------------------------------------------------------------------

awaitable<bool> Forwarding::finish() {
  const bool whole = !exchange_.failure && !recording_.loss();
  note_unfinished_upload();
  if (upstream_ && whole) pool_.release(facts_.origin, std::move(upstream_));
  upstream_.reset();
  exchange_.finished_us = elapsed_us();
  exchange_.state = whole ? ExchangeState::whole : ExchangeState::cut;
  exchange_.cut_by_client = !whole && exchange_.failure && exchange_.failure->side == NetworkFailure::Side::client;
  const bool response_began = exchange_.response && exchange_.response->status != 0;
  if (!response_began) exchange_.response.reset();

  std::optional<Response> failure_answer;
  if (exchange_.failure && !response_began)
    failure_answer = problem_response(problem_of(*exchange_.failure, facts_.origin));

  const bool kept = co_await recording_.finish();
  if (!kept) co_return co_await answer_loss(*recording_.loss());
  if (client_left_) co_return false;
  if (failure_answer) co_return co_await answer_instead(*failure_answer);
  const bool flushed = co_await client_.flush();
  co_return flushed&& whole && !facts_.close;
}

// What stands in a request's body when it was never whole is no part of what the upstream answered: the answer may have
// come first, or the connection broke. Replay looks such a recording up without its body.
void Forwarding::note_unfinished_upload() {
  if (upload_ == Upload::none || upload_ == Upload::whole) return;
  if (!exchange_.failure) {
    exchange_.failure =
        NetworkFailure{Phase::send_request, Kind::closed, NetworkFailure::Side::upstream,
                       "it answered before the request was whole", recording_.body_bytes(Direction::response)};
  }
  exchange_.failure->phase = Phase::send_request;
}

awaitable<bool> Forwarding::answer_loss(const Failure& failure) {
  services_.statistics.note_recording_failure(failure.detail);
  services_.log.error("not recorded: " + failure.detail);
  const auto response = problem_response({502, failure.code, "The exchange could not be recorded", failure.detail});
  co_return co_await answer_instead(response);
}

awaitable<void> Forwarding::flush_to_client() {
  if (client_left_) co_return;
  const bool flushed = co_await client_.flush();
  if (!flushed) client_left_ = true;
}

// Sends an answer of our own in place of what was put together, and ends the connection.
awaitable<bool> Forwarding::answer_instead(const Response& response) {
  client_.output().clear();
  if (client_left_ || upload_ == Upload::client_left || sent_anything_) co_return false;
  facts_.close = facts_.close || (upload_ != Upload::none && upload_ != Upload::whole);
  client_.output() += served_bytes(response, facts_.served_context(), facts_.origin);
  const bool flushed = co_await client_.flush();
  co_return flushed && !facts_.close;
}

void Forwarding::fail(Phase phase, const error_code& error) {
  const auto before = recording_.body_bytes(Direction::response);
  if (upload_ == Upload::client_left || !is_worth_reading_on()) {
    const auto side = NetworkFailure::Side::client;
    exchange_.failure = NetworkFailure{phase, Kind::closed, side, {}, before};
    return;
  }
  exchange_.failure = network_failure(phase, error, upstream_->stream.tls_failure());
  exchange_.failure->response_bytes = before;
}

void Forwarding::fail_protocol(Phase phase, std::string_view detail) {
  const auto before = recording_.body_bytes(Direction::response);
  exchange_.failure =
      NetworkFailure{phase, Kind::protocol, NetworkFailure::Side::upstream, std::string(detail), before};
}

std::int64_t Forwarding::elapsed_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started_at_).count();
}

}  // namespace tapedeck
