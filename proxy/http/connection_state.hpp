#pragma once

#include <cstdint>

namespace tapedeck {

// Where one connection of HTTP/1.1 stands, whichever side of it we are. Every change of state is a row of the table in
// the .cpp file, and nothing here knows whether we are the client or the server. Events that the table does not have
// (a response before its request, a second head in a body) change nothing and answer false; they come from the peer.
//
// The rules:
// - A connection carries one exchange at a time. Pipelined requests wait unread until both sides are back at `idle`.
// - Both sides go from `done` to `idle` together, and only if neither wanted to close: the request and the response
//   said keep-alive, the response's body was framed, and everybody was `done`. Else they end in `must_close`.
// - 1xx responses change nothing; any number may come before the final one.
// - The final response may start, and end, before the request has ended (an early response). The request's body is
//   still owed, so the connection is used again only once that has ended too.
// - A client that said `Expect: 100-continue` and got a final response before any 1xx and before it sent a byte of the
//   body may leave the body out or send it; nobody can tell which, so such a connection closes (RFC 9110 §10.1.1).
// - CONNECT only proposes a switch: a 2xx response makes both sides `switched`, and what follows is not HTTP's; any
//   other final response turns it down and the connection goes on. 101 is never proposed and so never legal.
class ConnectionState {
 public:
  enum class Side : std::uint8_t { requester, responder };
  enum class State : std::uint8_t {
    idle,
    send_response,  // responder: a request has come and is not answered yet
    send_body,      // the head is through, the body is not
    done,
    must_close,  // done, and nothing more will come
    closed,
    might_switch,  // requester: a CONNECT is whole and not answered yet
    switched,
  };

  [[nodiscard]] bool on_request_head(bool keep_alive, bool is_connect, bool expects_continue = false);
  // The first byte of the body came although no 100 has: the expectation is over.
  void on_request_body();
  [[nodiscard]] bool on_request_end();
  // `keep_alive` is that of the head, and false for a body that ends with the connection.
  [[nodiscard]] bool on_response_head(int status, bool keep_alive);
  [[nodiscard]] bool on_response_end();
  // That side has ended its half. False when it was in the middle of a message, or owed one. A client that ends its
  // half after a whole request still gets its answer.
  [[nodiscard]] bool on_close(Side side);
  // We will not go on after this exchange, for reasons of our own (a shutdown, a body that is not worth reading on).
  void stop_keep_alive();

  State state(Side side) const { return side == Side::requester ? requester_ : responder_; }
  // A next request may begin (or be sent), this being a first one or not.
  bool may_reuse() const { return keep_alive_ && requester_ == State::idle && responder_ == State::idle; }
  // The client waits for a 100 (Continue) before it sends its body.
  bool awaits_continue() const { return awaits_continue_; }
  bool switched() const { return requester_ == State::switched; }
  // Nothing is left to do but to close.
  bool must_close() const;

  enum class Event : std::uint8_t { request_head, message_end, response_head, connect_end, connect_accepted, close };

 private:
  bool apply(Side side, Event event);
  void settle();

  State requester_ = State::idle;
  State responder_ = State::idle;
  bool keep_alive_ = true;
  bool is_connect_ = false;
  bool awaits_continue_ = false;
};

}  // namespace tapedeck
