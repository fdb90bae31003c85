#include "proxy/modes/problem.hpp"

#include <array>
#include <ctime>

#include <nlohmann/json.hpp>

namespace tapedeck {

namespace {

using nlohmann::ordered_json;

constexpr const char* type_base = "urn:tapedeck:problem:";

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 508:
      return "Loop Detected";
    default:
      return "Error";
  }
}

// Bytes that are not UTF-8 become U+FFFD: a report about hostile bytes must itself be valid JSON.
std::string dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.reason = reason_phrase(status);
  response.headers.add("Content-Type", "application/problem+json");
  response.headers.add("Content-Length", std::to_string(body.size()));
  response.headers.add("Cache-Control", "no-store");
  response.body.framing = BodyFraming::content_length;
  response.body.bytes = std::move(body);
  return response;
}

ordered_json difference_json(const FieldDifference& difference) {
  return {{"field", difference.field},
          {"recorded", difference.recorded_present ? ordered_json(difference.recorded) : ordered_json(nullptr)},
          {"requested", difference.requested_present ? ordered_json(difference.requested) : ordered_json(nullptr)}};
}

ordered_json near_json(const NearRecording& near) {
  auto differences = ordered_json::array();
  for (const auto& difference : near.differences) differences.push_back(difference_json(difference));
  return {{"exchange", near.exchange_id},
          {"take", near.take_ordinal},
          {"recorded_at", rfc3339(near.recorded_at_us)},
          {"session", near.session},
          {"used", near.used},
          {"request", near.request_line},
          {"differences", std::move(differences)}};
}

std::string_view timeout_text(NetworkFailure::Phase phase) {
  using Phase = NetworkFailure::Phase;
  switch (phase) {
    case Phase::resolve:
      return "could not be looked up in time";
    case Phase::connect:
      return "did not accept the connection in time";
    case Phase::tls_handshake:
      return "did not finish the TLS handshake in time";
    case Phase::send_request:
      return "did not take the request in time";
    case Phase::await_response:
    case Phase::read_response:
      return "did not answer in time";
  }
  return "did not answer in time";
}

std::string_view kind_text(NetworkFailure::Phase phase, NetworkFailure::Kind kind) {
  using Kind = NetworkFailure::Kind;
  const bool in_handshake = phase == NetworkFailure::Phase::tls_handshake;
  switch (kind) {
    case Kind::not_found:
      return "has no address (DNS)";
    case Kind::refused:
      return "refused the connection";
    case Kind::unreachable:
      return "is unreachable";
    case Kind::timeout:
      return timeout_text(phase);
    case Kind::reset:
      return "reset the connection";
    case Kind::closed:
      return in_handshake ? "closed the connection in the TLS handshake"
                          : "closed the connection before its answer was whole";
    case Kind::certificate:
      return "has a certificate that is not trusted";
    case Kind::tls_alert:
      return in_handshake ? "refused the TLS handshake" : "ended TLS before its answer was whole";
    case Kind::protocol:
      return in_handshake ? "sent what is not TLS" : "sent what is not HTTP/1.1";
  }
  return "failed";
}

std::string_view phase_text(NetworkFailure::Phase phase) {
  using Phase = NetworkFailure::Phase;
  switch (phase) {
    case Phase::resolve:
      return "resolve";
    case Phase::connect:
      return "connect";
    case Phase::tls_handshake:
      return "tls-handshake";
    case Phase::send_request:
      return "send-request";
    case Phase::await_response:
      return "await-response";
    case Phase::read_response:
      return "read-response";
  }
  return "unknown";
}

}  // namespace

std::string rfc3339(std::int64_t time_us) {
  const std::time_t seconds = time_us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

Response problem_response(const Problem& problem) {
  return json_response(problem.status, dump({{"type", type_base + problem.code},
                                             {"title", problem.title},
                                             {"status", problem.status},
                                             {"detail", problem.detail}}));
}

std::string miss_report_json(const MissReport& report, int status) {
  auto nearest = ordered_json::array();
  for (const auto& near : report.nearest) nearest.push_back(near_json(near));
  const std::string reason{miss_reason_text(report.reason)};
  return dump({{"type", type_base + ("miss/" + reason)},
               {"title", "No recording answers this request"},
               {"status", status},
               {"detail", report.detail},
               {"reason", reason},
               {"request", report.request_line},
               {"nearest", std::move(nearest)},
               {"suggestion", report.suggestion}});
}

Response miss_response(const MissReport& report, int status) {
  auto response = json_response(status, miss_report_json(report, status));
  response.headers.add("Tapedeck-Miss", miss_reason_text(report.reason));
  return response;
}

Problem problem_of(const NetworkFailure& failure, const Origin& origin) {
  Problem problem;
  problem.status = failure.kind == NetworkFailure::Kind::timeout ? 504 : 502;
  problem.code = "upstream-" + std::string(phase_text(failure.phase));
  problem.title = "The upstream failed";
  problem.detail = origin.text() + " " + std::string(kind_text(failure.phase, failure.kind));
  if (!failure.code.empty()) problem.detail += ": " + failure.code;
  return problem;
}

std::string served_bytes(const Response& response, const ServedContext& context, const Origin& origin) {
  auto bytes = served_head(response, context, origin, response.body.bytes.size());
  if (context.request_method != "HEAD") bytes += response.body.bytes;
  return bytes;
}

}  // namespace tapedeck
