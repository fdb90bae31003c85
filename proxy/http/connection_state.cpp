#include "proxy/http/connection_state.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace tapedeck {

namespace {

using Side = ConnectionState::Side;
using State = ConnectionState::State;
using Event = ConnectionState::Event;

struct Row {
  Side side;
  State from;
  Event event;
  State to;
};

constexpr std::array rows = {
    Row{Side::requester, State::idle, Event::request_head, State::send_body},
    Row{Side::requester, State::send_body, Event::message_end, State::done},
    Row{Side::requester, State::send_body, Event::connect_end, State::might_switch},
    Row{Side::requester, State::might_switch, Event::connect_accepted, State::switched},
    Row{Side::requester, State::might_switch, Event::response_head, State::done},
    Row{Side::requester, State::idle, Event::close, State::closed},
    Row{Side::requester, State::done, Event::close, State::closed},
    Row{Side::requester, State::must_close, Event::close, State::closed},

    Row{Side::responder, State::idle, Event::request_head, State::send_response},
    Row{Side::responder, State::send_response, Event::response_head, State::send_body},
    Row{Side::responder, State::send_response, Event::connect_accepted, State::switched},
    Row{Side::responder, State::send_body, Event::message_end, State::done},
    Row{Side::responder, State::idle, Event::close, State::closed},
    Row{Side::responder, State::done, Event::close, State::closed},
    Row{Side::responder, State::must_close, Event::close, State::closed},
};

std::optional<State> next_state(Side side, State from, Event event) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
    return candidate.side == side && candidate.from == from && candidate.event == event;
  });
  if (row == rows.end()) return std::nullopt;
  return row->to;
}

}  // namespace

bool ConnectionState::apply(Side side, Event event) {
  auto& state = side == Side::requester ? requester_ : responder_;
  const auto next = next_state(side, state, event);
  if (next) state = *next;
  return next.has_value();
}

// What follows from both sides together: a fresh start, or the end.
void ConnectionState::settle() {
  if (keep_alive_ && requester_ == State::done && responder_ == State::done) {
    requester_ = responder_ = State::idle;
    return;
  }
  if (keep_alive_) return;
  for (auto* state : {&requester_, &responder_}) {
    if (*state == State::done) *state = State::must_close;
  }
}

bool ConnectionState::on_request_head(bool keep_alive, bool is_connect, bool expects_continue) {
  if (!may_reuse()) return false;
  apply(Side::requester, Event::request_head);
  apply(Side::responder, Event::request_head);
  keep_alive_ = keep_alive;
  is_connect_ = is_connect;
  awaits_continue_ = expects_continue;
  return true;
}

void ConnectionState::on_request_body() {
  awaits_continue_ = false;
}

bool ConnectionState::on_request_end() {
  if (!apply(Side::requester, is_connect_ ? Event::connect_end : Event::message_end)) return false;
  awaits_continue_ = false;
  settle();
  return true;
}

bool ConnectionState::on_response_head(int status, bool keep_alive) {
  if (responder_ != State::send_response || status == 101) return false;
  if (status / 100 == 1) {
    if (status == 100) awaits_continue_ = false;
    return true;
  }
  if (is_connect_) {
    const auto event = status / 100 == 2 ? Event::connect_accepted : Event::response_head;
    if (!apply(Side::requester, event)) return false;
    apply(Side::responder, event);
  } else {
    apply(Side::responder, Event::response_head);
  }
  keep_alive_ = keep_alive_ && keep_alive && !awaits_continue_;
  awaits_continue_ = false;
  settle();
  return true;
}

bool ConnectionState::on_response_end() {
  if (!apply(Side::responder, Event::message_end)) return false;
  settle();
  return true;
}

bool ConnectionState::on_close(Side side) {
  const bool clean = apply(side, Event::close);
  if (!clean) (side == Side::requester ? requester_ : responder_) = State::closed;
  stop_keep_alive();
  return clean;
}

void ConnectionState::stop_keep_alive() {
  keep_alive_ = false;
  settle();
}

bool ConnectionState::must_close() const {
  if (responder_ == State::must_close || responder_ == State::closed) return true;
  return requester_ == State::closed && responder_ == State::idle;
}

}  // namespace tapedeck
