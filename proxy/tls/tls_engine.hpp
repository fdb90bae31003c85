#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "config/result.hpp"
#include "proxy/tls/byte_queue.hpp"
#include "proxy/tls/tls_failure.hpp"

namespace tapedeck {

// One TLS connection without a socket: ciphertext goes in and comes out as bytes. Belongs to one thread and stays where
// it was made.
//
// After each call the caller sends what output() holds, whatever the call's outcome: alerts and tickets come that way.
// Output is as large as what was written and fed since it was last sent, and no larger.
class TlsEngine {
 public:
  enum class Outcome { done, want_input, closed, failed };
  struct ReadResult {
    Outcome outcome = Outcome::want_input;
    std::size_t bytes = 0;  // more than none if `done`, none otherwise
  };
  // Says with which context a client is answered that asks for `server_name` (lower-case; empty: it named none). Called
  // once, from handshake(), before any answer. Its failure ends the handshake with an alert.
  using ContextChooser = std::function<Result<std::shared_ptr<SSL_CTX>>(std::string_view server_name)>;

  // We are the server of a client.
  static std::unique_ptr<TlsEngine> for_client(ContextChooser chooser);
  // We are the client of `host`, which the certificate must be for. Failure `bad-host-name`.
  static Result<std::unique_ptr<TlsEngine>> for_upstream(SSL_CTX* context, std::string_view host);

  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;
  ~TlsEngine();

  // Ciphertext that came: read into input_space() and told by input_received(), or copied in by feed().
  std::span<char> input_space(std::size_t bytes) { return input_.space(bytes); }
  void input_received(std::size_t bytes) { input_.added(bytes); }
  void feed(std::string_view ciphertext) { input_.append(ciphertext); }
  // The peer closed the connection below TLS.
  void input_ended() { input_ended_ = true; }

  // Ciphertext to send. The view is valid until the next call that is not const.
  std::string_view output() const { return output_.view(); }
  void output_sent(std::size_t bytes) { output_.consume(bytes); }

  // done, want_input or failed. Once done, stays so.
  Outcome handshake();
  bool handshake_done() const { return handshake_done_; }

  // Fills as much of `into`, which is not empty, as there is. `closed`: the peer ended TLS in order (close_notify);
  // without that the end is `failed`, of kind closed.
  ReadResult read(std::span<char> into);
  // Whether something came that read() has not given yet, decrypted or not.
  bool has_pending() const;
  // Whether read() has anything to say but want_input: data, or that the end has come.
  bool is_readable() const;
  // done: all of it is in output(), behind what was there. Else failed.
  Outcome write(std::string_view plaintext);
  // Puts a close_notify in output(). Nothing is written after it; reading goes on.
  void shutdown();

  // Set once an outcome was `failed`.
  const std::optional<TlsFailure>& failure() const { return failure_; }

  const std::string& server_name() const { return server_name_; }  // what the client asked for, or we did
  std::string_view alpn() const;                                   // empty: none was agreed
  std::string_view version() const;                                // "TLSv1.3"
  bool session_reused() const;

  // For a connection that falls idle: gives back all memory that holds nothing.
  void release_idle_buffers();

 private:
  struct Transport;

  TlsEngine() = default;
  void start(SSL_CTX* context, bool server);
  Outcome answer_client_hello();
  Outcome refuse(std::string_view alert_record, TlsFailure failure);
  Outcome outcome_of(int ssl_error);

  ByteQueue input_;
  ByteQueue output_;
  SSL* ssl_ = nullptr;  // a server's comes into being with the ClientHello
  ContextChooser chooser_;
  std::string server_name_;
  std::optional<TlsFailure> failure_;
  bool input_ended_ = false;
  bool handshake_done_ = false;
  bool shut_down_ = false;
};

}  // namespace tapedeck
