#include "proxy/modes/problem.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

using Phase = NetworkFailure::Phase;
using Kind = NetworkFailure::Kind;

struct Row {
  Phase phase;
  Kind kind;
  int status;
  const char* code;
  const char* detail;
};

// All that dialling, TLS and forwarding can report. Failures of read-response cut an answer that has begun; their words
// stand only in the log.
const Row rows[] = {
    {Phase::resolve, Kind::not_found, 502, "upstream-resolve", "has no address (DNS)"},
    {Phase::resolve, Kind::timeout, 504, "upstream-resolve", "could not be looked up in time"},
    {Phase::connect, Kind::refused, 502, "upstream-connect", "refused the connection"},
    {Phase::connect, Kind::unreachable, 502, "upstream-connect", "is unreachable"},
    {Phase::connect, Kind::timeout, 504, "upstream-connect", "did not accept the connection in time"},
    {Phase::connect, Kind::reset, 502, "upstream-connect", "reset the connection"},
    {Phase::tls_handshake, Kind::timeout, 504, "upstream-tls-handshake", "did not finish the TLS handshake in time"},
    {Phase::tls_handshake, Kind::reset, 502, "upstream-tls-handshake", "reset the connection"},
    {Phase::tls_handshake, Kind::closed, 502, "upstream-tls-handshake", "closed the connection in the TLS handshake"},
    {Phase::tls_handshake, Kind::certificate, 502, "upstream-tls-handshake", "has a certificate that is not trusted"},
    {Phase::tls_handshake, Kind::tls_alert, 502, "upstream-tls-handshake", "refused the TLS handshake"},
    {Phase::tls_handshake, Kind::protocol, 502, "upstream-tls-handshake", "sent what is not TLS"},
    {Phase::send_request, Kind::timeout, 504, "upstream-send-request", "did not take the request in time"},
    {Phase::send_request, Kind::reset, 502, "upstream-send-request", "reset the connection"},
    {Phase::await_response, Kind::timeout, 504, "upstream-await-response", "did not answer in time"},
    {Phase::await_response, Kind::reset, 502, "upstream-await-response", "reset the connection"},
    {Phase::await_response, Kind::closed, 502, "upstream-await-response",
     "closed the connection before its answer was whole"},
    {Phase::await_response, Kind::tls_alert, 502, "upstream-await-response", "ended TLS before its answer was whole"},
    {Phase::await_response, Kind::protocol, 502, "upstream-await-response", "sent what is not HTTP/1.1"},
};

}  // namespace

TEST_CASE("what a client sees of a network failure") {
  for (const auto& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.detail);
    NetworkFailure failure;
    failure.phase = row.phase;
    failure.kind = row.kind;
    const auto problem = problem_of(failure, {"https", "api.x.io", 443});
    CHECK(problem.status == row.status);
    CHECK(problem.code == row.code);
    CHECK(problem.detail == std::string("https://api.x.io ") + row.detail);
    failure.code = "why";
    CHECK(problem_of(failure, {"https", "api.x.io", 443}).detail == problem.detail + ": why");
  }
}

TEST_CASE("every failure that a cassette can hold has an answer") {
  for (int phase = 0; phase <= static_cast<int>(Phase::read_response); ++phase) {
    for (int kind = 0; kind <= static_cast<int>(Kind::protocol); ++kind) {
      CAPTURE(phase);
      CAPTURE(kind);
      NetworkFailure failure;
      failure.phase = static_cast<Phase>(phase);
      failure.kind = static_cast<Kind>(kind);
      const auto problem = problem_of(failure, {"https", "api.x.io", 443});
      CHECK(problem.status == (failure.kind == Kind::timeout ? 504 : 502));
      CHECK(problem.code != "upstream-unknown");
      CHECK_FALSE(problem.detail.ends_with(" failed"));
    }
  }
}
