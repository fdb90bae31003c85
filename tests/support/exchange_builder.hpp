#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "storage/exchange/exchange.hpp"

namespace tapedeck::test {

// Makes typical exchanges; a test says only what it is about:
//   ExchangeBuilder("POST", "/v1/search").request_json(R"({"name":"x"})").response_json(R"({"hits":[]})").build()
// Without more it is a GET of https://api.roaring.io that was answered 200 with a small JSON body.
class ExchangeBuilder {
 public:
  explicit ExchangeBuilder(std::string_view method = "GET", std::string_view target = "/tapes/1") {
    exchange_.request.origin = {"https", "api.roaring.io", 443};
    exchange_.request.method = method;
    exchange_.request.target = target;
    exchange_.request.headers = {{"Host", "api.roaring.io"}, {"Accept", "*/*"}};
    exchange_.started_at_us = 1'700'000'000'000'000;
    exchange_.request_sent_us = 1'000;
    exchange_.first_byte_us = 20'000;
    exchange_.finished_us = 25'000;
    exchange_.response.emplace();
    exchange_.response->status = 200;
    exchange_.response->reason = "OK";
    response_json(R"({"tape":1})");
  }

  ExchangeBuilder& origin(std::string_view scheme, std::string_view host, std::uint16_t port) {
    exchange_.request.origin = {std::string(scheme), std::string(host), port};
    exchange_.request.headers.remove("Host");
    exchange_.request.headers.add("Host", exchange_.request.origin.authority());
    return *this;
  }
  ExchangeBuilder& session(std::string_view name) { return exchange_.session = name, *this; }
  ExchangeBuilder& way_in(WayIn way) { return exchange_.way_in = way, *this; }
  ExchangeBuilder& started_at_us(std::int64_t time) { return exchange_.started_at_us = time, *this; }
  ExchangeBuilder& numbers(std::uint64_t started, std::uint64_t finished) {
    exchange_.started_number = started;
    exchange_.finished_number = finished;
    return *this;
  }

  ExchangeBuilder& request_header(std::string_view name, std::string_view value) {
    return exchange_.request.headers.add(name, value), *this;
  }
  ExchangeBuilder& request_body(std::string_view type, std::string_view bytes) {
    return set_body(exchange_.request.headers, exchange_.request.body, type, bytes), *this;
  }
  ExchangeBuilder& request_json(std::string_view bytes) { return request_body("application/json", bytes); }
  ExchangeBuilder& request_form(std::string_view bytes) {
    return request_body("application/x-www-form-urlencoded", bytes);
  }

  ExchangeBuilder& status(int code, std::string_view reason) {
    exchange_.response->status = code;
    exchange_.response->reason = reason;
    return *this;
  }
  ExchangeBuilder& response_header(std::string_view name, std::string_view value) {
    return exchange_.response->headers.add(name, value), *this;
  }
  ExchangeBuilder& response_body(std::string_view type, std::string_view bytes) {
    return set_body(exchange_.response->headers, exchange_.response->body, type, bytes), *this;
  }
  ExchangeBuilder& response_json(std::string_view bytes) { return response_body("application/json", bytes); }
  ExchangeBuilder& no_response_body() {
    exchange_.response->headers.remove("Content-Type");
    exchange_.response->headers.remove("Content-Length");
    exchange_.response->body = {};
    return *this;
  }

  // The failure takes the place of the response.
  ExchangeBuilder& failure(NetworkFailure::Phase phase, NetworkFailure::Kind kind, std::string_view code = {}) {
    exchange_.response.reset();
    exchange_.failure = NetworkFailure{phase, kind, NetworkFailure::Side::upstream, std::string(code), 0};
    exchange_.state = ExchangeState::cut;
    return *this;
  }
  ExchangeBuilder& cut_by_client() {
    exchange_.state = ExchangeState::cut;
    exchange_.cut_by_client = true;
    return *this;
  }

  // For what has no word of its own above.
  Exchange& raw() { return exchange_; }
  Exchange build() const { return exchange_; }

 private:
  static void set_body(Headers& headers, Body& body, std::string_view type, std::string_view bytes) {
    headers.remove("Content-Type");
    headers.remove("Content-Length");
    headers.add("Content-Type", type);
    headers.add("Content-Length", std::to_string(bytes.size()));
    body = {std::string(bytes), BodyForm::verbatim, BodyFraming::content_length};
  }

  Exchange exchange_;
};

}  // namespace tapedeck::test
