#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/modes/record_handler.hpp"

namespace tapedeck {

// One exchange on its way: sends the request to the upstream, passes the answer on, puts the recording together and
// commits it. An object of one coroutine's frame, used once, on one worker thread. The request's body is pumped by a
// second coroutine, so that an answer may come while the upload goes on; run() does not end before it.
class Forwarding {
 public:
  // With `body_is_read` the request's body and trailers are in `request`; else the client still has to send them.
  Forwarding(RecordServices& services, UpstreamPool& pool, ClientChannel& client, Request request, RequestFacts facts,
             bool body_is_read);

  // Returns whether the client's connection may serve another request.
  awaitable<bool> run();

 private:
  static constexpr std::size_t events_max = 10'000;

  enum class Upload { none, going_on, whole, client_left, upstream_failed, refused };

  awaitable<bool> send_request();
  void end_request();
  void start_upload();
  awaitable<void> pump_upload();
  awaitable<void> upload_loop();
  awaitable<bool> upload_piece(std::string_view piece);
  awaitable<void> finish_upload();
  awaitable<void> join_upload();

  awaitable<void> exchange_with_upstream();
  awaitable<bool> read_response();
  awaitable<bool> read_final_head();
  awaitable<bool> read_response_body();
  awaitable<error_code> read_upstream();
  bool note_interim();
  void begin_response(MessageFraming framing);
  bool append_response_piece(std::string_view piece);
  bool may_retry(bool response_began) const;

  awaitable<bool> finish();
  awaitable<std::optional<Failure>> commit(RedactedExchange exchange);
  awaitable<bool> answer_loss(const Failure& failure);
  awaitable<void> flush_to_client();
  awaitable<bool> answer_instead(const Response& response);
  void note_piece(Direction direction, std::uint64_t offset, std::uint64_t length);
  void fail(NetworkFailure::Phase phase, const error_code& error);
  void fail_protocol(NetworkFailure::Phase phase, std::string_view detail);
  std::int64_t elapsed_us() const;

  RecordServices& services_;
  UpstreamPool& pool_;
  ClientChannel& client_;
  Exchange exchange_;
  RequestFacts facts_;
  bool tells_continue_;
  SteadyTime started_at_;

  std::unique_ptr<UpstreamConnection> upstream_;
  std::optional<asio::steady_timer> upload_ended_;  // waits for ever; cancelled when the pump ends
  Upload upload_ = Upload::none;
  HeadRefusal upload_refusal_;
  std::optional<BodyDecoder> response_body_;
  ScannedHead head_;
  bool response_chunked_ = false;  // towards the client
  bool sent_anything_ = false;     // some of the final answer has gone out
  bool client_left_ = false;
};

}  // namespace tapedeck
