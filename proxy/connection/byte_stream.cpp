#include "proxy/connection/byte_stream.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tapedeck {

namespace {

// How TLS ended, in the system's words; the engine's own say more.
error_code tls_error(const TlsEngine& engine) {
  if (engine.failure() && engine.failure()->kind == NetworkFailure::Kind::closed) return asio::error::connection_reset;
  return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
}

// Within this machine nothing is congested, and what cubic or BBR work out about it costs each request something
// (docs/performance.md). Reno does the least; every kernel has it, and anybody may choose it (tcp(7)).
void spare_congestion_control(tcp::socket& socket) {
  constexpr std::string_view reno = "reno";
  (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONGESTION, reno.data(), reno.size());
}

}  // namespace

ByteStream::ByteStream(tcp::socket socket, DeadlineList& deadlines) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  local_endpoint_ = socket_.local_endpoint(ignored);
  if (local_endpoint_.address().is_loopback()) spare_congestion_control(socket_);
  deadlines.add(*this);
}

ByteStream::~ByteStream() = default;

awaitable<error_code> ByteStream::read_some(InputBuffer& into) {
  error_code error;
  if (error = stopped(); error) co_return error;
  while (true) {
    const auto room = into.prepare(std::min(read_bytes, into.max_size() - into.size()));
    if (room.size() == 0) co_return asio::error::no_buffer_space;
    if (!engine_) {
      const auto read = co_await socket_.async_read_some(room, asio::redirect_error(use_awaitable, error));
      into.commit(read);
      co_return outcome(error);
    }
    if (engine_->is_readable()) {
      const auto read = engine_->read({static_cast<char*>(room.data()), room.size()});
      into.commit(read.bytes);
      if (read.outcome == TlsEngine::Outcome::done) co_return error_code{};
      if (read.outcome == TlsEngine::Outcome::closed) co_return asio::error::eof;
      if (read.outcome == TlsEngine::Outcome::failed) co_return tls_error(*engine_);
      // Reading makes TLS speak too: alerts that are not fatal would gather here without end.
      if (has_unsent()) {
        error = co_await send_ciphertext();
        if (error) co_return error;
      }
    }
    if (error = co_await read_ciphertext(); error) co_return error;
  }
}

awaitable<error_code> ByteStream::write(std::string_view bytes) {
  while (true) {
    const auto sent = send_now(bytes);
    if (sent.error || sent.whole) co_return sent.error;
    bytes.remove_prefix(sent.taken);
    error_code error;
    if (error = stopped(); error) co_return error;
    co_await socket_.async_wait(tcp::socket::wait_write, asio::redirect_error(use_awaitable, error));
    if (error) co_return outcome(error);
  }
}

// The system takes most writes whole at once; only a slow reader makes them wait.
ByteStream::Sent ByteStream::send_now(std::string_view bytes) {
  Sent sent;
  if (engine_) {
    if (!bytes.empty() && engine_->write(bytes) != TlsEngine::Outcome::done) {
      sent.error = tls_error(*engine_);
      return sent;
    }
    return send_ciphertext_now(bytes.size());
  }
  while (sent.taken < bytes.size() && !sent.error) {
    sent.taken += socket_.write_some(asio::buffer(bytes.data() + sent.taken, bytes.size() - sent.taken), sent.error);
  }
  sent.whole = sent.taken == bytes.size();
  if (sent.error == asio::error::would_block) sent.error.clear();
  return sent;
}

ByteStream::Sent ByteStream::send_ciphertext_now(std::size_t taken) {
  Sent sent{taken, false, {}};
  while (has_unsent() && !sent.error) {
    const auto output = engine_->output();
    engine_->output_sent(socket_.write_some(asio::buffer(output.data(), output.size()), sent.error));
  }
  sent.whole = !has_unsent();
  if (sent.error == asio::error::would_block) sent.error.clear();
  return sent;
}

awaitable<error_code> ByteStream::handshake(std::unique_ptr<TlsEngine> engine, std::string_view already_read) {
  engine_ = std::move(engine);
  engine_->feed(already_read);
  while (true) {
    const auto outcome = engine_->handshake();
    const bool done = outcome == TlsEngine::Outcome::done;
    // Tickets go out at once, though nobody waits for them: they acknowledge the client's Finished, behind which a
    // client with Nagle's algorithm (RFC 1122 §4.2.3.4) holds its request back. Where the request has come along, its
    // answer takes them with it, or whatever is awaited first.
    if (done && engine_->has_pending()) co_return error_code{};
    if (const auto error = co_await send_ciphertext()) co_return error;
    if (done) co_return error_code{};
    if (outcome != TlsEngine::Outcome::want_input) co_return tls_error(*engine_);
    if (const auto error = co_await read_ciphertext()) co_return error;
  }
}

awaitable<error_code> ByteStream::read_ciphertext() {
  error_code error;
  if (error = stopped(); error) co_return error;
  const auto space = engine_->input_space(read_bytes);
  const auto read = co_await socket_.async_read_some(asio::buffer(space.data(), space.size()),
                                                     asio::redirect_error(use_awaitable, error));
  engine_->input_received(read);
  if (error == asio::error::eof) {
    engine_->input_ended();
    co_return engine_->handshake_done() ? error_code{} : error;
  }
  co_return outcome(error);
}

error_code ByteStream::outcome(error_code error) const {
  return expired() && error == asio::error::operation_aborted ? error_code(asio::error::timed_out) : error;
}

error_code ByteStream::stopped() const {
  if (cut_) return asio::error::operation_aborted;
  return expired() ? error_code(asio::error::timed_out) : error_code();
}

// The option does not last, tcp(7): it is set before each such wait.
void ByteStream::acknowledge_now() {
  const int on = 1;
  (void)::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

awaitable<error_code> ByteStream::wait_readable() {
  error_code error;
  if (error = stopped(); error) co_return error;
  co_await socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(use_awaitable, error));
  co_return outcome(error);
}

void ByteStream::release_idle_buffers() {
  if (engine_) engine_->release_idle_buffers();
}

bool ByteStream::is_quiet() {
  if (has_pending()) return false;
  char byte = 0;
  error_code error;
  socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error == asio::error::would_block;
}

void ByteStream::end_output() {
  error_code ignored;
  if (engine_) {
    engine_->shutdown();
    const auto output = engine_->output();
    socket_.write_some(asio::buffer(output.data(), output.size()), ignored);
  }
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void ByteStream::close() {
  if (!socket_.is_open()) return;
  end_output();
  error_code ignored;
  socket_.close(ignored);
}

void ByteStream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void ByteStream::cut() {
  cut_ = true;
  cancel();
}

void ByteStream::on_deadline() {
  cancel();
}

}  // namespace tapedeck
