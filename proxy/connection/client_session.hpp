#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/connection/byte_stream.hpp"
#include "proxy/connection/origin_decision.hpp"
#include "proxy/connection/pending_output.hpp"
#include "proxy/connection/session_choice.hpp"
#include "proxy/modes/exchange_handler.hpp"
#include "proxy/runtime/run_statistics.hpp"
#include "proxy/tls/leaf_certificates.hpp"
#include "proxy/upstream/upstream_pool.hpp"
#include "storage/redaction/redactor.hpp"

namespace tapedeck {

class Log;

// What the sessions of one worker share. All of it outlives them.
struct SessionServices {
  const Options& options;
  const OriginRules& origin_rules;
  LeafCertificates& leaf_certificates;
  ExchangeHandler& handler;
  UpstreamPool* tunnel_pool;  // null: hosts that are not intercepted are refused (replay)
  DeadlineList& deadlines;
  const Redactor& redactor;
  RunStatistics& statistics;
  Log& log;
};

// One client connection from its first byte to its last: sniffs TLS, answers CONNECT, ends TLS, reads requests and
// hands them to the handler. Answers to requests that are in the buffer together go out in one write. Lives in run()'s
// frame.
class ClientSession final : public ClientChannel {
 public:
  // `listener_session` is of all that comes in at the listener; empty: the client chooses. It outlives this.
  ClientSession(SessionServices& services, tcp::socket socket, std::string_view listener_session);

  awaitable<void> run();
  // Ends the session as soon as nothing of an exchange would be lost by it; used when the program stops.
  void stop_when_idle();

  awaitable<BodyDecoder::Event> read_body() override;
  const Headers& request_trailers() const override;
  bool has_unread_bytes() const override { return input_.size() > consumed_later_; }
  void stop_reading() override;
  std::string& output() override { return output_.text(); }
  awaitable<bool> flush() override;
  bool is_cut() const override { return stream_.is_cut(); }

 private:
  enum class Next { go_on, end };

  Next serve_at_once();
  std::size_t known_head_bytes() const;
  std::string_view identity_of(std::size_t head_bytes);
  Next put(std::shared_ptr<const WireImage> image, std::size_t head_bytes);
  bool may_serve_at_once() const;
  bool is_ordinary() const;
  IncomingRequest incoming(const Forward& forward, std::string_view target, std::string_view session) const;
  SessionSources session_sources() const { return {listener_session_, tunnel_session_, services_.options.session}; }
  bool flush_now();
  bool may_await_request();
  awaitable<void> let_others_choose();
  awaitable<Next> step();
  awaitable<void> linger();
  awaitable<Next> read_more();
  awaitable<Next> await_longer(error_code error);
  void release_memory();
  awaitable<Next> start_tls();
  awaitable<Next> serve();
  awaitable<Next> serve_exchange(const Forward& forward, std::string_view target);
  awaitable<Next> serve_unnamed(const Forward& forward);
  awaitable<Next> refuse(int status, std::string_view code, std::string_view detail);
  awaitable<Next> serve_connect(const OriginDecision& decision);
  awaitable<Next> peek();
  awaitable<Next> await_either();
  bool may_tunnel() const;
  awaitable<Next> refuse_passage(const Tunnel& tunnel);
  awaitable<Next> refuse_tunnel(const Tunnel& tunnel);
  void answer_not_intercepted(const std::string& request_line, const std::string& host, bool close);
  awaitable<Next> open_tunnel(const Tunnel& tunnel, bool answered);
  void accept_connect(Authority authority);
  void answer_health(bool close);
  Arrival arrival() const;
  std::string certificate_name() const;

  SessionServices& services_;
  const bool answers_at_once_;
  ByteStream stream_;
  InputBuffer input_;
  PendingOutput output_;
  ScannedHead head_;
  OriginMemo origin_memo_;
  std::string way_here_;  // what an identity begins with; empty: not made since the arrival changed
  std::string identity_;
  // What answer_at_once said to the head that is served next, if it was asked.
  std::optional<Choice> answered_at_once_;
  std::optional<BodyDecoder> body_;
  std::size_t consumed_later_ = 0;  // of input_: still viewed by whoever reads the head or the last piece
  bool body_ended_ = true;
  bool may_start_tls_ = true;  // the next byte is the first of the connection, or the first behind a CONNECT
  bool exchange_going_on_ = false;
  bool writing_ = false;
  bool lingers_ = false;  // the client may still be sending when we close
  bool stopping_ = false;
  bool reading_stopped_ = false;
  bool miss_all_ = false;                   // replay: the tunnel's address is not intercepted, each request is told so
  bool peeking_ = false;                    // a CONNECT to an address was answered; its ClientHello decides
  std::optional<Authority> tunnel_;         // what a CONNECT asked for
  std::optional<std::string> server_name_;  // SNI
  std::string_view listener_session_;
  std::string tunnel_session_;                   // what the CONNECT said
  std::unique_ptr<UpstreamConnection> dialled_;  // of a tunnel
};

std::string host_and_port(const Tunnel& tunnel);

// For answers of our own.
ServedContext own_context(const ScannedHead& head, bool close);

}  // namespace tapedeck
