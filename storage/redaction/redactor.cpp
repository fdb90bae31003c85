#include "storage/redaction/redactor.hpp"

#include <algorithm>
#include <utility>

#include "storage/redaction/body_secrets.hpp"
#include "storage/redaction/header_secrets.hpp"
#include "storage/redaction/pair_secrets.hpp"
#include "storage/redaction/rules.hpp"

namespace tapedeck {

namespace {

std::uint64_t scaled(std::uint64_t place, std::uint64_t old_size, std::uint64_t new_size) {
  __extension__ using Wide = unsigned __int128;
  if (place >= old_size) return new_size;
  return static_cast<std::uint64_t>(static_cast<Wide>(place) * new_size / old_size);
}

// Chunks keep their order and their time; together they still cover the body. That the places are not exact any more
// does no harm, since only pace is read from them, and exact ones would tell how long the secrets were.
void scale_chunks(std::vector<ExchangeEvent>& events, Direction direction, std::uint64_t old_size,
                  std::uint64_t new_size) {
  for (auto& event : events) {
    if (event.direction != direction || event.kind != ExchangeEvent::Kind::body_chunk) continue;
    const auto end = scaled(event.offset + event.length, old_size, new_size);
    event.offset = scaled(event.offset, old_size, new_size);
    event.length = end - event.offset;
  }
}

bool is_redirect_status(int status) {
  return status >= 300 && status < 400;
}

}  // namespace

Redactor::Redactor(std::vector<Profile> profiles, const Limits& limits)
    : profiles_(std::move(profiles)), limits_(limits), rules_(std::make_shared<const RuleTable>(profiles_)) {
}

Result<RedactedExchange> Redactor::redact(Exchange exchange) const {
  const auto scope = scope_of(exchange.request.origin);
  Tally tally;
  const auto request_size = exchange.request.body.bytes.size();
  if (auto done = redact_request(exchange.request, scope, &tally); !done) return done.error();
  scale_chunks(exchange.events, Direction::request, request_size, exchange.request.body.bytes.size());
  if (exchange.response) {
    const auto old_size = exchange.response->body.bytes.size();
    if (auto done = redact_response(*exchange.response, scope, &tally); !done) return done.error();
    const auto new_size = exchange.response->body.bytes.size();
    scale_chunks(exchange.events, Direction::response, old_size, new_size);
    if (exchange.failure && old_size != new_size) {
      exchange.failure->response_bytes = scaled(exchange.failure->response_bytes, old_size, new_size);
    }
  }
  return RedactedExchange(std::move(exchange), tally.take());
}

std::unique_ptr<BodyRedactionStream> Redactor::stream_request_body(const Request&) const {
  return std::unique_ptr<BodyRedactionStream>(new BodyRedactionStream);
}

std::unique_ptr<BodyRedactionStream> Redactor::stream_response_body(const Request&, const Response&) const {
  return std::unique_ptr<BodyRedactionStream>(new BodyRedactionStream);
}

Result<RedactedExchange> Redactor::redact_long(Exchange exchange, BodyRedactionStream* request,
                                               BodyRedactionStream* response) const {
  auto redacted = redact(std::move(exchange));
  if (!redacted) return redacted;
  if (request != nullptr) redacted->exchange_.request.body.form = request->form();
  if (response != nullptr && redacted->exchange_.response) redacted->exchange_.response->body.form = response->form();
  return redacted;
}

Result<void> Redactor::redact_request(Request& request) const {
  return redact_request(request, scope_of(request.origin), nullptr);
}

std::string Redactor::redact_target(const Origin& origin, std::string_view target) const {
  TextEdits edits;
  const auto scope = scope_of(origin);
  find_url_secrets(target, 0, target.size(), {scope, SecretPlace::query, false, false}, edits);
  return edits.empty() ? std::string(target) : edited(target, edits);
}

RuleScope Redactor::scope_of(const Origin& origin) const {
  RuleScope scope{*rules_, 0};
  for (std::size_t i = 0; i < profiles_.size(); ++i) {
    const auto& hosts = profiles_[i].hosts;
    const auto matches = [&](const std::string& glob) { return host_glob_matches(glob, origin.host, origin.port); };
    if (std::any_of(hosts.begin(), hosts.end(), matches)) scope.profiles |= std::uint64_t{1} << i;
  }
  return scope;
}

Result<void> Redactor::redact_message(Headers& headers, Body& body, Headers& trailers, const RuleScope& scope,
                                      bool is_redirect, Tally* tally) const {
  redact_headers(headers, scope, is_redirect, tally);
  redact_headers(trailers, scope, is_redirect, tally);
  const auto changed = redact_body(headers, body, scope, limits_.decoded_body_bytes_max, tally);
  if (!changed) return changed.error();
  if (*changed) {
    redact_digests(headers, scope, tally);
    redact_digests(trailers, scope, tally);
  }
  return {};
}

Result<void> Redactor::redact_request(Request& request, const RuleScope& scope, Tally* tally) const {
  TextEdits edits;
  find_url_secrets(request.target, 0, request.target.size(), {scope, SecretPlace::query, false, false}, edits);
  if (!edits.empty()) {
    request.target = edited(request.target, edits);
    if (tally != nullptr) tally->add(edits);
  }
  return redact_message(request.headers, request.body, request.trailers, scope, false, tally);
}

Result<void> Redactor::redact_response(Response& response, const RuleScope& scope, Tally* tally) const {
  for (auto& interim : response.interim) redact_headers(interim.headers, scope, false, tally);
  return redact_message(response.headers, response.body, response.trailers, scope, is_redirect_status(response.status),
                        tally);
}

}  // namespace tapedeck
