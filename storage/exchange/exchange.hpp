#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/exchange/body.hpp"
#include "storage/exchange/headers.hpp"
#include "storage/exchange/origin.hpp"

namespace tapedeck {

enum class Direction { request, response };

// A request in the upstream's form. `target` is the raw origin-form target (path and query as sent, RFC 9112 §3.2.1),
// "*" for OPTIONS of the whole origin.
struct Request {
  Origin origin;
  std::string method;
  std::string target;
  Headers headers;
  Body body;
  Headers trailers;
};

// A 1xx answer before the final one (RFC 9110 §15.2).
struct InterimResponse {
  int status = 0;
  std::string reason;
  Headers headers;
};

struct Response {
  int status = 0;
  std::string reason;
  Headers headers;
  Body body;
  Headers trailers;
  std::vector<InterimResponse> interim;
};

// A network failure that took the place of a response, or cut one.
struct NetworkFailure {
  enum class Phase { resolve, connect, tls_handshake, send_request, await_response, read_response };
  enum class Kind { not_found, refused, unreachable, timeout, reset, closed, certificate, tls_alert, protocol };
  enum class Side { client, upstream };
  Phase phase = Phase::connect;
  Kind kind = Kind::refused;
  Side side = Side::upstream;
  std::string code;                  // the system's or library's own word, or what failed on the way; no secrets
  std::uint64_t response_bytes = 0;  // how many bytes of the response body came before it
};

// One line of the events table: the chunks of a body as they came, and later whatever else happens in time.
struct ExchangeEvent {
  enum class Kind { body_chunk = 1 };
  Direction direction = Direction::response;
  Kind kind = Kind::body_chunk;
  std::int64_t time_us = 0;  // since the exchange started
  std::uint64_t offset = 0;  // in the body as received
  std::uint64_t length = 0;
};

enum class WayIn { connect_tls, connect_plain, absolute_form, tls_direct, origin_form };
enum class Initiator { client, inbound };

// Open: not finished when it was kept. Cut: it ended before its response was whole.
enum class ExchangeState { open, whole, cut };

// One request and what came back for it. Either `response` is set, or `failure`, or both when a response was cut.
struct Exchange {
  std::string session = "default";
  Initiator initiator = Initiator::client;
  WayIn way_in = WayIn::connect_tls;
  std::string client_protocol = "HTTP/1.1";
  std::string upstream_protocol = "HTTP/1.1";
  ExchangeState state = ExchangeState::whole;
  bool cut_by_client = false;

  std::int64_t started_at_us = 0;    // microseconds since the Unix epoch
  std::int64_t request_sent_us = 0;  // the three that follow: microseconds since the start
  std::int64_t first_byte_us = 0;
  std::int64_t finished_us = 0;
  std::uint64_t started_number = 0;  // order in which exchanges of a take started and finished
  std::uint64_t finished_number = 0;

  Request request;
  std::optional<Response> response;
  std::optional<NetworkFailure> failure;
  std::vector<ExchangeEvent> events;
};

}  // namespace tapedeck
