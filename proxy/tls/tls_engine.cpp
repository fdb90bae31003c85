#include "proxy/tls/tls_engine.hpp"

#include <algorithm>
#include <cassert>

#include <openssl/err.h>

#include "proxy/tls/client_hello.hpp"
#include "proxy/tls/contexts.hpp"
#include "proxy/tls/openssl_handles.hpp"

namespace tapedeck {
namespace {

using Kind = NetworkFailure::Kind;

// Whole alert records (RFC 8446 §5.1, §6), for refusals made before OpenSSL has a part in it.
constexpr std::string_view alert_internal_error("\x15\x03\x03\x00\x02\x02\x50", 7);
constexpr std::string_view alert_unrecognized_name("\x15\x03\x03\x00\x02\x02\x70", 7);

}  // namespace

// OpenSSL's way to the engine's two queues. Memory BIOs would do the same with a copy and an allocation more.
struct TlsEngine::Transport {
  static TlsEngine& engine_of(BIO* bio) { return *static_cast<TlsEngine*>(BIO_get_data(bio)); }

  static int write(BIO* bio, const char* data, std::size_t bytes, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    engine_of(bio).output_.append({data, bytes});
    *written = bytes;
    return 1;
  }
  static int read(BIO* bio, char* data, std::size_t bytes, std::size_t* got) {
    TlsEngine& engine = engine_of(bio);
    BIO_clear_retry_flags(bio);
    *got = std::min(bytes, engine.input_.size());
    if (*got == 0) {
      if (!engine.input_ended_) BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(data, engine.input_.view().data(), *got);
    engine.input_.consume(*got);
    return 1;
  }
  static long control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return engine_of(bio).input_ended_ && engine_of(bio).input_.empty() ? 1 : 0;
      default:
        return 0;
    }
  }

  static const BIO_METHOD* method() {
    // Lives as long as the process, as the BIOs made by it may.
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tapedeck engine");
      require_openssl(fresh != nullptr, "BIO_meth_new");
      BIO_meth_set_write_ex(fresh, write);
      BIO_meth_set_read_ex(fresh, read);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

std::unique_ptr<TlsEngine> TlsEngine::for_client(ContextChooser chooser) {
  std::unique_ptr<TlsEngine> engine(new TlsEngine);
  engine->chooser_ = std::move(chooser);
  return engine;
}

Result<std::unique_ptr<TlsEngine>> TlsEngine::for_upstream(SSL_CTX* context, std::string_view host) {
  std::unique_ptr<TlsEngine> engine(new TlsEngine);
  engine->server_name_ = host;
  engine->start(context, false);
  if (auto prepared = prepare_upstream(engine->ssl_, host); !prepared) return prepared.error();
  return engine;
}

TlsEngine::~TlsEngine() {
  SSL_free(ssl_);
}

void TlsEngine::start(SSL_CTX* context, bool server) {
  ssl_ = SSL_new(context);
  BIO* bio = BIO_new(Transport::method());
  require_openssl(ssl_ && bio, "SSL_new");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
}

TlsEngine::Outcome TlsEngine::handshake() {
  if (failure_) return Outcome::failed;
  if (handshake_done_) return Outcome::done;
  if (!ssl_) {
    if (const Outcome answered = answer_client_hello(); answered != Outcome::done) return answered;
  }
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_);
  if (returned == 1) {
    handshake_done_ = true;
    return Outcome::done;
  }
  const Outcome outcome = outcome_of(SSL_get_error(ssl_, returned));
  return outcome == Outcome::closed ? refuse({}, take_tls_failure(ssl_, server_name_)) : outcome;
}

// The name is read before OpenSSL sees a byte: a context chosen from one of its callbacks would leave the first one's
// ticket keys and options in force.
TlsEngine::Outcome TlsEngine::answer_client_hello() {
  ClientHello hello = parse_client_hello(input_.view());
  switch (hello.outcome) {
    case ClientHello::Outcome::need_more:
      if (!input_ended_) return Outcome::want_input;
      return refuse({}, {Kind::closed, "closed", "the client closed the connection before TLS began"});
    case ClientHello::Outcome::not_tls:
      return refuse({}, {Kind::protocol, "not a ClientHello", "the client did not begin TLS as TLS begins"});
    case ClientHello::Outcome::name:
    case ClientHello::Outcome::none:
      break;
  }
  server_name_ = std::move(hello.name);
  auto context = chooser_(server_name_);
  chooser_ = nullptr;
  if (!context) {
    const Failure& why = context.error();
    return refuse(why.blame == Blame::us ? alert_internal_error : alert_unrecognized_name,
                  {Kind::protocol, why.code, why.detail});
  }
  start(context->get(), true);
  return Outcome::done;
}

TlsEngine::Outcome TlsEngine::refuse(std::string_view alert_record, TlsFailure failure) {
  output_.append(alert_record);
  failure_ = std::move(failure);
  return Outcome::failed;
}

TlsEngine::Outcome TlsEngine::outcome_of(int ssl_error) {
  if (ssl_error == SSL_ERROR_WANT_READ) return Outcome::want_input;
  if (ssl_error == SSL_ERROR_ZERO_RETURN) return Outcome::closed;
  failure_ = take_tls_failure(ssl_, server_name_);
  return Outcome::failed;
}

TlsEngine::ReadResult TlsEngine::read(std::span<char> into) {
  assert(handshake_done_ && !into.empty());
  if (failure_) return {Outcome::failed, 0};
  ERR_clear_error();
  std::size_t filled = 0;
  // To ask OpenSSL once more when nothing is left costs as much as a small record.
  while (filled < into.size() && (filled == 0 || has_pending())) {
    std::size_t got = 0;
    const int returned = SSL_read_ex(ssl_, into.data() + filled, into.size() - filled, &got);
    if (returned != 1) {
      const Outcome outcome = outcome_of(SSL_get_error(ssl_, returned));
      // What was read before counts first; the outcome is the same when asked again.
      return filled > 0 ? ReadResult{Outcome::done, filled} : ReadResult{outcome, 0};
    }
    filled += got;
  }
  return {Outcome::done, filled};
}

bool TlsEngine::has_pending() const {
  return !input_.view().empty() || (ssl_ != nullptr && SSL_has_pending(ssl_) == 1);
}

bool TlsEngine::is_readable() const {
  return failure_ || input_ended_ || has_pending() || (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

TlsEngine::Outcome TlsEngine::write(std::string_view plaintext) {
  assert(handshake_done_ && !shut_down_);
  if (failure_) return Outcome::failed;
  if (plaintext.empty()) return Outcome::done;
  ERR_clear_error();
  std::size_t written = 0;
  const int returned = SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written);
  if (returned == 1) {
    assert(written == plaintext.size());
    return Outcome::done;
  }
  if (outcome_of(SSL_get_error(ssl_, returned)) == Outcome::failed) return Outcome::failed;
  // The queue takes everything, so a write waits for input only while a handshake message after the handshake is cut
  // over records. Tickets and key updates are far too small for that; only a hostile peer does it.
  return refuse({}, {Kind::protocol, "cut handshake message", "the peer cut a handshake message over several records"});
}

void TlsEngine::shutdown() {
  if (failure_ || shut_down_ || !handshake_done_) return;
  shut_down_ = true;
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

std::string_view TlsEngine::alpn() const {
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  if (ssl_) SSL_get0_alpn_selected(ssl_, &name, &bytes);
  return {reinterpret_cast<const char*>(name), bytes};
}

std::string_view TlsEngine::version() const {
  return ssl_ ? SSL_get_version(ssl_) : std::string_view();
}

bool TlsEngine::session_reused() const {
  return ssl_ && SSL_session_reused(ssl_) == 1;
}

void TlsEngine::release_idle_buffers() {
  input_.release();
  output_.release();
  if (ssl_) SSL_free_buffers(ssl_);
}

}  // namespace tapedeck
