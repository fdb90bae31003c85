#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/http/body_decoder.hpp"
#include "proxy/http/head_scan.hpp"
#include "proxy/http/served_head.hpp"
#include "proxy/runtime/asio.hpp"
#include "replay/matching/near_miss.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// What of a request outlives its head: whatever waits keeps one of these.
struct RequestFacts {
  std::string method;
  std::string client_scheme;
  std::string client_authority;  // the Host field as the client sent it
  std::string session;
  Origin origin;
  WayIn way_in = WayIn::origin_form;
  bool reverse = false;
  bool recorded = true;
  bool close = false;
  bool http_1_0 = false;
  bool has_body = false;
  bool expects_continue = false;

  // Views into this object.
  ServedContext served_context() const;
};

struct WireImage;

// An answer, never null. It may be sent to many.
using Image = std::shared_ptr<const WireImage>;
// What was chosen for a request before anything had to be waited for: nothing yet, an answer, or that there is none.
using Choice = std::variant<std::monostate, Image, MissReport>;

// One request as the client session hands it on. `head` and what views it die with the first wait: a handler copies
// what it needs before.
struct IncomingRequest {
  const ScannedHead& head;
  MessageFraming framing;
  const Origin& origin;
  std::string_view target;  // origin-form
  WayIn way_in = WayIn::origin_form;
  bool reverse = false;
  bool intercepted = true;         // false: forwarded, but neither recorded nor answered from a recording
  std::string_view client_scheme;  // of the connection to us
  std::string_view session;
  // All that decides the answer, as bytes: how the request reached us, and its head as it was sent. Equal ones are
  // answered alike until recordings are added. Empty: not known.
  std::string_view identity = {};
  // What answer_at_once said. If that is something, handle() goes by it and does not choose again: a cursor has moved.
  Choice chosen = {};

  bool has_body() const { return framing.framing != BodyFraming::none; }
  bool expects_continue() const { return head.list_contains("Expect", "100-continue"); }
  ServedContext served_context() const;  // views into the head
  RequestFacts facts() const;
  Request to_request() const;
};

// The client's side of one exchange, as a handler sees it. Its lifetime covers handle().
class ClientChannel {
 public:
  virtual ~ClientChannel() = default;

  // The next piece of the request's body; its data is valid until the next call. `refused` covers a client that left
  // or stalled (code "client-left").
  virtual awaitable<BodyDecoder::Event> read_body() = 0;
  virtual const Headers& request_trailers() const = 0;
  // Whether body bytes are waiting already, so that a client which expects 100-continue need not be told.
  virtual bool has_unread_bytes() const = 0;
  // Stops a read_body that is waiting; it then returns `refused`.
  virtual void stop_reading() = 0;

  // Appends to what goes out next. Nothing is sent before flush().
  virtual std::string& output() = 0;
  // False once the client has left or does not read.
  virtual awaitable<bool> flush() = 0;
  // The program stops: nothing may wait any more.
  virtual bool is_cut() const = 0;
};

// The seam: what happens to a request. Record, replay and auto are its three implementations. One object a worker.
class ExchangeHandler {
 public:
  virtual ~ExchangeHandler() = default;

  // Whether the two that follow are worth asking; it does not change.
  virtual bool answers_at_once() const = 0;
  // The hot path: the answer to a request of that identity, if it is remembered and in memory; never a long one. Null:
  // it has to be looked at.
  virtual std::shared_ptr<const WireImage> known_answer(std::string_view identity) = 0;
  // The answer to a bodiless request, if it can be chosen without waiting. An answer that is not long is sent by the
  // caller; all else goes to handle(), as `request.chosen`. Nothing yet: no cursor was moved, handle() has to
  // choose.
  virtual Choice answer_at_once(const IncomingRequest& request) = 0;
  // How many answers have been read from the cassette instead of from memory. Who chose one of those at once lets
  // others choose theirs before it is sent.
  virtual std::uint64_t loads() const = 0;

  // Reads the body and sends the answer. Returns whether the connection may serve another request.
  virtual awaitable<bool> handle(const IncomingRequest& request, ClientChannel& client) = 0;
};

}  // namespace tapedeck
