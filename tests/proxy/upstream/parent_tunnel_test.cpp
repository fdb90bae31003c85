#include "proxy/upstream/parent_tunnel.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

const ParentProxy open_parent{"p.io", 3128, ""};
const ParentProxy closed_parent{"p.io", 3128, "Basic c2VjcmV0OnNlY3JldA=="};

}  // namespace

TEST_CASE("what a parent proxy is asked") {
  CHECK(parent_connect_head(open_parent, {"x.io", 443, false}, "") ==
        "CONNECT x.io:443 HTTP/1.1\r\nHost: x.io:443\r\n\r\n");
  CHECK(parent_connect_head(closed_parent, {"::1", 443, false}, "1.1 us") ==
        "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nVia: 1.1 us\r\n"
        "Proxy-Authorization: Basic c2VjcmV0OnNlY3JldA==\r\n\r\n");
}

TEST_CASE("what a parent proxy's answer means") {
  using Kind = NetworkFailure::Kind;
  struct Row {
    int status;
    Kind kind;
    const char* part;
  };
  const Row rows[] = {
      {407, Kind::refused, "p.io:3128 answered 407; correct the credentials"},
      {403, Kind::refused, "p.io:3128 answered 403"},
      {302, Kind::refused, "answered 302"},
      {502, Kind::unreachable, "answered 502"},
      {503, Kind::unreachable, "answered 503"},
      {504, Kind::timeout, "answered 504"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    const auto refusal = parent_refusal(closed_parent, row.status);
    REQUIRE(refusal.has_value());
    CHECK(refusal->phase == NetworkFailure::Phase::connect);
    CHECK(refusal->kind == row.kind);
    CHECK(refusal->code.find(row.part) != std::string::npos);
    CHECK(refusal->code.find("c2Vj") == std::string::npos);
  }
  CHECK_FALSE(parent_refusal(open_parent, 200).has_value());
  CHECK_FALSE(parent_refusal(open_parent, 204).has_value());
  CHECK(parent_refusal(open_parent, 407)->code.find("give it credentials") != std::string::npos);
}

TEST_CASE("a parent proxy that fails is named, and the phase is connecting, whatever its own was") {
  NetworkFailure failure;
  failure.phase = NetworkFailure::Phase::resolve;
  failure.kind = NetworkFailure::Kind::not_found;
  const auto seen = parent_failure(closed_parent, failure);
  CHECK(seen.phase == NetworkFailure::Phase::connect);
  CHECK(seen.kind == NetworkFailure::Kind::not_found);
  CHECK(seen.code == "the parent proxy p.io:3128 has no address (DNS)");
  const auto garbage = parent_garbage(open_parent, {400, "status-line", "the status line is none"});
  CHECK(garbage.kind == NetworkFailure::Kind::protocol);
  CHECK(garbage.code == "the parent proxy p.io:3128 sent no answer of HTTP/1.1: the status line is none");
}
