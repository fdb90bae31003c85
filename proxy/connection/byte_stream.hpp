#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/beast/core/flat_buffer.hpp>

#include "proxy/connection/deadlines.hpp"
#include "proxy/runtime/asio.hpp"
#include "proxy/tls/tls_engine.hpp"

namespace tapedeck {

using InputBuffer = boost::beast::flat_buffer;

inline std::string_view view_of(const InputBuffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

// One TCP connection, plain at first and TLS from the moment it is asked for, so that a client's connection can be
// read, tunnelled or decrypted by the same code. At most one read and one write may wait at a time. Every wait ends by
// the deadline: the operation then fails with `timed_out`. Belongs to one worker thread.
class ByteStream final : public Deadline {
 public:
  static constexpr std::size_t read_bytes = 16 * 1024;
  // Most connections are used again at once; one that is not by then is idle, and its owner frees its buffers.
  static constexpr std::chrono::milliseconds memory_held_ms{1000};

  ByteStream(tcp::socket socket, DeadlineList& deadlines);
  ~ByteStream() override;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Waits for at least one byte and appends what is there. `asio::error::eof` when the peer closed in order.
  awaitable<error_code> read_some(InputBuffer& into);
  // Returns when all of `bytes` has been handed to the system.
  awaitable<error_code> write(std::string_view bytes);
  // As much of that as goes without waiting: `taken` bytes need not be given again; `whole`: nothing is left to send.
  struct Sent {
    std::size_t taken = 0;
    bool whole = false;
    error_code error;
  };
  Sent send_now(std::string_view bytes);
  // Whether TLS holds back what was taken.
  bool has_unsent() const { return engine_ && !engine_->output().empty(); }

  // Turns the connection into TLS; `already_read` is what was read of it before (the ClientHello).
  awaitable<error_code> handshake(std::unique_ptr<TlsEngine> engine, std::string_view already_read);
  bool is_tls() const { return engine_ != nullptr; }
  // What went wrong in TLS; null when it was not TLS that failed.
  const TlsFailure* tls_failure() const { return engine_ && engine_->failure() ? &*engine_->failure() : nullptr; }

  // Has the peer told at once what came of it, instead of along with what we send next: in the middle of a message
  // there is nothing to send, and with Nagle's algorithm (RFC 1122 §4.2.3.4) the rest comes only then.
  void acknowledge_now();
  // Waits for something to read, holding no buffer meanwhile.
  awaitable<error_code> wait_readable();
  // For a connection that falls idle: gives back what TLS holds for nothing.
  void release_idle_buffers();

  // Whether an idle connection can still be used: nothing to read, in TLS's buffers neither, not closed. Does not wait.
  bool is_quiet();
  // Whether TLS has bytes that were not asked for yet.
  bool has_pending() const { return engine_ && engine_->has_pending(); }
  // Sends close_notify and FIN; reading goes on.
  void end_output();
  // Sends close_notify and FIN, if that is possible without waiting, and closes.
  void close();
  // Makes waiting operations fail; they report `operation_aborted`.
  void cancel();
  void on_deadline() override;
  // As cancel(), and every later wait fails as well: a cancel alone misses an operation that has just completed.
  void cut() override;
  bool is_cut() const { return cut_; }

  // What the peer of an accepted connection dialled.
  const tcp::endpoint& local_endpoint() const { return local_endpoint_; }

  bool is_open() const { return socket_.is_open(); }
  tcp::socket& socket() { return socket_; }

 private:
  awaitable<error_code> read_ciphertext();
  awaitable<error_code> send_ciphertext() { return write({}); }
  Sent send_ciphertext_now(std::size_t taken);
  error_code outcome(error_code error) const;
  // Why nothing may be waited for any more.
  error_code stopped() const;

  tcp::socket socket_;
  tcp::endpoint local_endpoint_;
  std::unique_ptr<TlsEngine> engine_;
  bool cut_ = false;
};

}  // namespace tapedeck
