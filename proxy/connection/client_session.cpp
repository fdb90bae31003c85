#include "proxy/connection/client_session.hpp"

#include <cassert>
#include <cstring>

#include "proxy/connection/session_choice.hpp"
#include "proxy/connection/via.hpp"
#include "proxy/modes/problem.hpp"
#include "proxy/runtime/log.hpp"

namespace tapedeck {

namespace {

constexpr char tls_handshake_record = 0x16;
constexpr std::size_t joined_output_bytes_max = 64 * 1024;
constexpr std::chrono::milliseconds linger_timeout_ms{1000};
constexpr std::size_t linger_bytes_max = 1024 * 1024;

SteadyTime after(std::chrono::milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

// Null: there is none that can be sent as a whole.
std::shared_ptr<const WireImage> short_answer_in(const Choice& choice) {
  const auto* image = std::get_if<Image>(&choice);
  assert(!image || *image);
  return image && !(*image)->is_long() ? *image : nullptr;
}

}  // namespace

ServedContext own_context(const ScannedHead& head, bool close) {
  ServedContext context;
  context.request_method = head.method;
  context.close = close;
  context.http_1_0 = head.version_minor == 0;
  return context;
}

ClientSession::ClientSession(SessionServices& services, tcp::socket socket, std::string_view listener_session)
    : services_(services),
      answers_at_once_(services.handler.answers_at_once()),
      stream_(std::move(socket), services.deadlines),
      input_(services.options.limits.head_bytes_max + 2 * ByteStream::read_bytes),
      listener_session_(listener_session) {
}

// One turn without any wait but the read: that is all there is to most requests of a replay. What needs more goes by
// step().
awaitable<void> ClientSession::run() {
  Next next = Next::go_on;
  auto loads = services_.handler.loads();
  while (next == Next::go_on) {
    next = serve_at_once();
    if (next == Next::end) break;
    if (services_.handler.loads() != loads) {
      co_await let_others_choose();
      loads = services_.handler.loads();
    }
    if (!may_await_request()) {
      next = co_await step();
      continue;
    }
    stream_.expire_at(services_.deadlines.soon() +
                      std::min(services_.options.limits.client_idle_timeout_ms, ByteStream::memory_held_ms));
    auto error = co_await stream_.read_some(input_);
    if (error) next = co_await await_longer(error);
    stream_.never_expire();
    loads = services_.handler.loads();
  }
  const bool flushed = co_await flush();
  if (flushed && lingers_) co_await linger();
  stream_.close();
}

// A read from the cassette takes as long as many answers from memory, and clients fall asleep over it. All answers of a
// turn, sent behind one another, wake a client once; each sent when it is made would wake it each time.
awaitable<void> ClientSession::let_others_choose() {
  co_await asio::post(stream_.socket().get_executor(), use_awaitable);
}

// Nothing is left to serve or to send.
bool ClientSession::may_await_request() {
  return input_.size() == 0 && !(peeking_ && may_tunnel()) && !stopping_ && flush_now();
}

bool ClientSession::may_serve_at_once() const {
  return answers_at_once_ && input_.size() > 0 && !peeking_ && !stopping_ &&
         output_.bytes().size() <= joined_output_bytes_max;
}

// Of the head at the beginning of the buffer, if it may be known; else 0. What has no lone CR or LF, and only such
// heads are ever remembered, ends with its first empty line.
std::size_t ClientSession::known_head_bytes() const {
  constexpr std::string_view head_end = "\r\n\r\n";
  const auto bytes = view_of(input_).substr(0, services_.options.limits.head_bytes_max);
  const void* end = ::memmem(bytes.data(), bytes.size(), head_end.data(), head_end.size());
  if (end == nullptr || miss_all_) return 0;
  return static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) + head_end.size();
}

// Of the request at the beginning of the buffer. Valid until the next call.
std::string_view ClientSession::identity_of(std::size_t head_bytes) {
  if (way_here_.empty()) {
    way_here_ = text_of(arrival()).append(listener_session_).append("\n");
    way_here_.append(implied_session(session_sources())).append("\n");
  }
  return identity_.assign(way_here_).append(view_of(input_).substr(0, head_bytes));
}

// Answers what can be answered without waiting, request after request. A request that is out of the ordinary stays in
// the buffer.
ClientSession::Next ClientSession::serve_at_once() {
  while (may_serve_at_once()) {
    answered_at_once_.reset();
    const auto head_bytes = known_head_bytes();
    if (auto image = head_bytes > 0 ? services_.handler.known_answer(identity_of(head_bytes)) : nullptr) {
      services_.statistics.count_request();
      if (put(std::move(image), head_bytes) == Next::end) return Next::end;
      continue;
    }
    const auto scan = scan_request_head(view_of(input_), services_.options.limits, head_);
    if (scan.outcome != HeadScan::Outcome::complete) return Next::go_on;
    const auto* forward = origin_memo_.find(head_);
    if (!forward || !is_ordinary()) return Next::go_on;
    auto request = incoming(*forward, head_.target, implied_session(session_sources()));
    request.identity = identity_of(head_.head_bytes);
    auto choice = services_.handler.answer_at_once(request);
    auto image = short_answer_in(choice);
    if (!image) {
      answered_at_once_ = std::move(choice);
      return Next::go_on;
    }
    services_.statistics.count_request();
    if (put(std::move(image), head_.head_bytes) == Next::end) return Next::end;
  }
  return Next::go_on;
}

// A whole answer to the request at the beginning of the buffer.
ClientSession::Next ClientSession::put(std::shared_ptr<const WireImage> image, std::size_t head_bytes) {
  const bool close = image->close_after;
  output_.put(std::move(image));
  input_.consume(head_bytes);
  may_start_tls_ = false;
  stream_.never_expire();  // The time for a head does not run on into the next one.
  return close ? Next::end : Next::go_on;
}

bool ClientSession::is_ordinary() const {
  if (request_framing(head_).framing != BodyFraming::none || names_session(head_)) return false;
  return !services_.tunnel_pool || !has_passed_here(head_, services_.tunnel_pool->pseudonym());
}

IncomingRequest ClientSession::incoming(const Forward& forward, std::string_view target,
                                        std::string_view session) const {
  return {head_,          request_framing(head_), forward.origin,      target,
          forward.way_in, forward.reverse,        forward.intercepted, stream_.is_tls() ? "https" : "http",
          session};
}

// A close with unread bytes in the system's buffer makes it send a reset, which can destroy our last answer on its way.
// So we say that we are done and read on for a moment (RFC 9112 §9.6).
awaitable<void> ClientSession::linger() {
  stream_.end_output();
  stream_.expire_at(after(linger_timeout_ms));
  for (std::size_t read = 0; read < linger_bytes_max;) {
    input_.consume(input_.size());
    if (co_await stream_.read_some(input_)) break;
    read += input_.size();
  }
}

void ClientSession::stop_when_idle() {
  stopping_ = true;
  if (!exchange_going_on_ && !writing_) stream_.cancel();
}

// One head: read it, decide where it goes, serve it.
awaitable<ClientSession::Next> ClientSession::step() {
  if (input_.size() == 0) {
    if (stopping_) co_return Next::end;
    if (peeking_ && may_tunnel()) co_return co_await await_either();
    const bool flushed = co_await flush();
    co_return flushed ? Next::go_on : Next::end;
  }
  if (peeking_) co_return co_await peek();
  if (may_start_tls_) {
    may_start_tls_ = false;
    if (view_of(input_).front() == tls_handshake_record) co_return co_await start_tls();
  }
  const auto scan = scan_request_head(view_of(input_), services_.options.limits, head_);
  switch (scan.outcome) {
    case HeadScan::Outcome::need_more:
      co_return co_await read_more();
    case HeadScan::Outcome::refused:
      co_return co_await refuse(scan.refusal.status, scan.refusal.code, scan.refusal.detail);
    case HeadScan::Outcome::complete:
      break;
  }
  co_return co_await serve();
}

// Before a wait everything that is ready goes out.
awaitable<ClientSession::Next> ClientSession::read_more() {
  if (!co_await flush()) co_return Next::end;
  if (stopping_) co_return Next::end;
  const auto& limits = services_.options.limits;
  // The time for a head runs from its first byte on, however slowly the rest comes.
  const bool within_head = input_.size() > 0;
  if (!within_head) {
    stream_.expire_at(after(limits.client_idle_timeout_ms));
  } else if (stream_.expires_at() == SteadyTime::max() && !stream_.expired()) {
    stream_.expire_at(after(limits.client_head_timeout_ms));
  }
  if (within_head) stream_.acknowledge_now();
  const auto error = co_await stream_.read_some(input_);
  if (!within_head) stream_.never_expire();
  if (error == asio::error::timed_out && within_head) {
    head_ = {};
    co_return co_await refuse(408, "head-timeout", "the request's head did not come in time");
  }
  co_return error ? Next::end : Next::go_on;
}

// The first wait for a request was in vain. An idle connection gives back its buffers and waits on.
awaitable<ClientSession::Next> ClientSession::await_longer(error_code error) {
  const auto& limits = services_.options.limits;
  if (error != asio::error::timed_out || limits.client_idle_timeout_ms <= ByteStream::memory_held_ms || stopping_) {
    co_return Next::end;
  }
  release_memory();
  stream_.expire_at(after(limits.client_idle_timeout_ms - ByteStream::memory_held_ms));
  error = co_await stream_.wait_readable();
  if (!error) error = co_await stream_.read_some(input_);
  co_return error ? Next::end : Next::go_on;
}

void ClientSession::release_memory() {
  input_.shrink_to_fit();
  output_.release();
  std::string().swap(identity_);
  head_ = {};
  body_.reset();
  stream_.release_idle_buffers();
}

// The name asked for decides the certificate: the SNI, else the CONNECT's authority, else the address that was dialled.
awaitable<ClientSession::Next> ClientSession::start_tls() {
  way_here_.clear();
  // A client may send its ClientHello along with the CONNECT. Our answer to that goes out unencrypted, before TLS.
  const bool flushed = co_await flush();
  if (!flushed) co_return Next::end;
  const auto choose_context = [this](std::string_view sni) -> Result<std::shared_ptr<SSL_CTX>> {
    if (!sni.empty()) server_name_ = sni;
    if (!tunnel_ && !may_end_direct_tls(server_name_, services_.origin_rules)) {
      return Failure{"not-intercepted", Blame::client,
                     "TLS for a host that is not intercepted; name it with --host to record it"};
    }
    return services_.leaf_certificates.context_for(certificate_name());
  };
  const std::string already_read(view_of(input_));
  input_.consume(input_.size());
  stream_.expire_at(after(services_.options.limits.handshake_timeout_ms));
  auto engine = TlsEngine::for_client(choose_context);
  const auto error = co_await stream_.handshake(std::move(engine), already_read);
  stream_.never_expire();
  if (!error) co_return Next::go_on;
  if (const auto* failure = stream_.tls_failure()) {
    services_.log.warning("TLS with a client that asked for " + certificate_name() + ": " + failure->text);
  }
  co_return Next::end;
}

std::string ClientSession::certificate_name() const {
  if (server_name_) return *server_name_;
  if (tunnel_) return tunnel_->host;
  return stream_.local_endpoint().address().to_string();
}

awaitable<ClientSession::Next> ClientSession::serve() {
  stream_.never_expire();
  if (services_.tunnel_pool && has_passed_here(head_, services_.tunnel_pool->pseudonym())) {
    co_return co_await refuse(508, "loop",
                              "the request has come through this proxy before, as its Via says; "
                              "a proxy behind this one sends it back here");
  }
  if (const auto* known = origin_memo_.find(head_)) {
    services_.statistics.count_request();
    co_return co_await serve_exchange(*known, head_.target);
  }
  const auto decision = decide_origin(arrival(), head_, services_.origin_rules);
  if (const auto* forward = std::get_if<Forward>(&decision)) {
    services_.statistics.count_request();
    if (!forward->intercepted || miss_all_) co_return co_await serve_unnamed(*forward);
    origin_memo_.remember(head_, *forward);
    co_return co_await serve_exchange(*forward, forward->target);
  }
  if (std::holds_alternative<LocalHealth>(decision)) {
    // A body would be taken for the next request, so what has one is the connection's last.
    const bool close = !head_.keep_alive() || request_framing(head_).framing != BodyFraming::none;
    answer_health(close);
    lingers_ = close;
    co_return close ? Next::end : Next::go_on;
  }
  if (const auto* refusal = std::get_if<OriginRefusal>(&decision)) {
    co_return co_await refuse(refusal->status, refusal->code, refusal->detail);
  }
  co_return co_await serve_connect(decision);
}

// A plain request through the proxy to a host that nobody named passes unrecorded, as a tunnel would.
awaitable<ClientSession::Next> ClientSession::serve_unnamed(const Forward& forward) {
  if (services_.tunnel_pool) {
    const Tunnel beside{forward.origin.host, forward.origin.port};
    if (services_.options.allow_remote) co_return co_await refuse_passage(beside);
    services_.statistics.note_tunnel(host_and_port(beside));
    co_return co_await serve_exchange(forward, forward.target);
  }
  const auto line = std::string(head_.method) + " " + forward.origin.text() +
                    services_.redactor.redact_target(forward.origin, forward.target);
  answer_not_intercepted(line, forward.origin.host, true);
  lingers_ = true;
  co_return Next::end;
}

// `target` is that of the head, and may view it.
awaitable<ClientSession::Next> ClientSession::serve_exchange(const Forward& forward, std::string_view target) {
  const auto session = choose_session(session_sources(), head_);
  if (!session) co_return co_await refuse(400, session.error().code, session.error().detail);
  auto request = incoming(forward, target, *session);
  if (auto answered = std::exchange(answered_at_once_, std::nullopt)) {
    request.chosen = std::move(*answered);
  } else if (!request.has_body() && answers_at_once_) {
    request.identity = identity_of(head_.head_bytes);
    request.chosen = services_.handler.answer_at_once(request);
  }
  if (auto image = short_answer_in(request.chosen)) {
    const auto next = put(std::move(image), head_.head_bytes);
    if (output_.bytes().size() > joined_output_bytes_max) {
      const bool flushed = co_await flush();
      if (!flushed) co_return Next::end;
    }
    co_return stopping_ ? Next::end : next;
  }
  const bool flushed = co_await flush();
  if (!flushed) co_return Next::end;
  consumed_later_ = head_.head_bytes;
  body_ended_ = !request.has_body();
  reading_stopped_ = false;
  if (request.has_body()) body_.emplace(request.framing, services_.options.limits);
  exchange_going_on_ = true;
  const bool keep = co_await services_.handler.handle(request, *this);
  exchange_going_on_ = false;
  stream_.never_expire();
  input_.consume(consumed_later_);
  consumed_later_ = 0;
  lingers_ = !body_ended_;
  co_return keep&& body_ended_ && !stopping_ ? Next::go_on : Next::end;
}

// --- the handler's side ----------------------------------------------------------------------------------------------

awaitable<BodyDecoder::Event> ClientSession::read_body() {
  using Kind = BodyDecoder::Event::Kind;
  input_.consume(consumed_later_);
  consumed_later_ = 0;
  while (true) {
    auto event = body_->next(view_of(input_));
    if (event.kind == Kind::data)
      consumed_later_ = event.consumed;
    else
      input_.consume(event.consumed);
    if (event.kind == Kind::end) body_ended_ = true;
    if (event.kind != Kind::need_more) co_return event;

    stream_.acknowledge_now();
    // An answer may be on its way out meanwhile, and has a deadline of its own.
    const auto before = stream_.expires_at();
    stream_.expire_at(after(services_.options.limits.body_idle_timeout_ms));
    error_code error = asio::error::operation_aborted;
    if (!reading_stopped_) error = co_await stream_.read_some(input_);
    stream_.expire_at(before);
    if (!error) continue;
    event.kind = Kind::refused;
    event.refusal = error == asio::error::timed_out
                        ? HeadRefusal{408, "body-timeout", "the request's body did not come in time"}
                        : HeadRefusal{400, "client-left", "the client left before its request was whole"};
    co_return event;
  }
}

const Headers& ClientSession::request_trailers() const {
  return body_->trailers();
}

void ClientSession::stop_reading() {
  reading_stopped_ = true;
  stream_.cancel();
}

bool ClientSession::flush_now() {
  if (output_.empty()) return true;
  const auto sent = stream_.send_now(output_.bytes());
  output_.sent(sent.taken);
  return sent.whole;
}

awaitable<bool> ClientSession::flush() {
  if (output_.empty() && !stream_.has_unsent()) co_return true;
  // The request's body may be awaited meanwhile; that wait goes on to have its deadline.
  const auto before = stream_.expires_at();
  if (before == SteadyTime::max()) stream_.expire_at(after(services_.options.limits.body_idle_timeout_ms));
  writing_ = true;
  const auto error = co_await stream_.write(output_.bytes());
  writing_ = false;
  stream_.expire_at(before);
  output_.clear();
  co_return !error;
}

// --- what we answer ourselves ----------------------------------------------------------------------------------------

// What cannot be read as a request ends the connection: where the next one would begin is unknown.
awaitable<ClientSession::Next> ClientSession::refuse(int status, std::string_view code, std::string_view detail) {
  const auto response = problem_response({status, std::string(code), "The request was refused", std::string(detail)});
  services_.statistics.note_refusal(detail);
  services_.log.verbose("refused a request (" + std::string(code) + "): " + std::string(detail));
  output_.text() += served_bytes(response, own_context(head_, true), {});
  lingers_ = true;
  co_return Next::end;
}

void ClientSession::answer_health(bool close) {
  Response response;
  response.status = 200;
  response.reason = "OK";
  response.headers = {{"Content-Type", "text/plain"}, {"Content-Length", "3"}};
  response.body.framing = BodyFraming::content_length;
  response.body.bytes = "ok\n";
  output_.text() += served_bytes(response, own_context(head_, close), {});
  input_.consume(head_.head_bytes);
}

Arrival ClientSession::arrival() const {
  Arrival arrival;
  arrival.tls = stream_.is_tls();
  arrival.tunnel = tunnel_;
  if (server_name_) arrival.sni = *server_name_;
  arrival.local_port = stream_.local_endpoint().port();
  return arrival;
}

}  // namespace tapedeck
