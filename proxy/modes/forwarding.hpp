#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/modes/exchange_recording.hpp"

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
  enum class Upload { none, going_on, whole, client_left, upstream_failed, refused, not_kept };

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
  void append_response_piece(std::string_view piece);
  bool is_worth_reading_on() const;
  bool may_retry(bool response_began) const;

  awaitable<bool> finish();
  void note_unfinished_upload();
  awaitable<bool> answer_loss(const Failure& failure);
  awaitable<void> flush_to_client();
  awaitable<bool> answer_instead(const Response& response);
  void fail(NetworkFailure::Phase phase, const error_code& error);
  void fail_protocol(NetworkFailure::Phase phase, std::string_view detail);
  std::int64_t elapsed_us() const;

  RecordServices& services_;
  UpstreamPool& pool_;
  ClientChannel& client_;
  RequestFacts facts_;
  ExchangeRecording recording_;
  Exchange& exchange_;  // the recording's
  bool tells_continue_;
  SteadyTime started_at_;

  std::unique_ptr<UpstreamConnection> upstream_;
  std::optional<SteadyTimer> upload_ended_;  // waits for ever; cancelled when the pump ends
  Upload upload_ = Upload::none;
  HeadRefusal upload_refusal_;
  std::optional<BodyDecoder> response_body_;
  ScannedHead head_;
  bool upstream_stays_ = false;    // it will not close behind its answer
  bool response_chunked_ = false;  // towards the client
  bool sent_anything_ = false;     // some of the final answer has gone out
  bool client_left_ = false;
  std::uint64_t response_bytes_for_client_ = 0;  // how much of the body had come when the client left
};

}  // namespace tapedeck
