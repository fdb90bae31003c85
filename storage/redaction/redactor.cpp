#include "storage/redaction/redactor.hpp"

#include <algorithm>
#include <utility>

#include "storage/redaction/body_secrets.hpp"
#include "storage/redaction/coded_body_redaction.hpp"
#include "storage/redaction/echoes.hpp"
#include "storage/redaction/header_secrets.hpp"
#include "storage/redaction/known_secrets.hpp"
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

constexpr int removal_rounds_max = 3;

// Bytes received and bytes kept of one body.
struct Sizes {
  std::uint64_t received = 0;
  std::uint64_t kept = 0;
};

Sizes sizes_of(std::uint64_t received, const Body& body, const BodyRedactionStream* stream) {
  if (stream != nullptr) return {stream->bytes_received(), stream->bytes_handed_out()};
  return {received, body.bytes.size()};
}

// These say where the body ends or how it is coded, and hold no secret of anyone.
bool is_framing(std::string_view name) {
  for (const std::string_view framing : {"content-length", "transfer-encoding", "content-encoding", "connection"}) {
    if (equal_without_case(name, framing)) return true;
  }
  return false;
}

void add_counts(Tally& tally, BodyRedactionStream* stream) {
  if (stream == nullptr) return;
  for (const auto& count : stream->take_counts()) tally.add(count.rule, count.times);
}

bool is_redirect_status(int status) {
  return status >= 300 && status < 400;
}

}  // namespace

Redactor::Redactor(std::vector<Profile> profiles, const Limits& limits, std::vector<LiteralSecret> literals)
    : profiles_(std::move(profiles)), limits_(limits) {
  auto rules = std::make_shared<RuleTable>(profiles_);
  for (const auto& literal : literals) rules->add_class(literal.placeholder_class);
  rules_ = std::move(rules);
  known_ = std::make_shared<KnownSecrets>(literals);
}

Result<RedactedExchange> Redactor::redact(Exchange exchange) const {
  return redact(std::move(exchange), nullptr, nullptr);
}

Result<RedactedExchange> Redactor::redact_long(Exchange exchange, BodyRedactionStream* request,
                                               BodyRedactionStream* response) const {
  return redact(std::move(exchange), request, response);
}

Result<RedactedExchange> Redactor::redact(Exchange exchange, BodyRedactionStream* request_stream,
                                          BodyRedactionStream* response_stream) const {
  Tally tally;
  const bool open = exchange.state == ExchangeState::open;
  const auto changed = [&](const BodyRedactionStream* stream) {
    return open || (stream != nullptr && stream->form() != BodyForm::verbatim);
  };
  auto& request = exchange.request;
  const auto request_size = request.body.bytes.size();
  if (auto done = redact_request(request, changed(request_stream), &tally); !done) return done.error();
  if (request_stream != nullptr) request.body.form = request_stream->form();
  const auto sent = sizes_of(request_size, request.body, request_stream);
  scale_chunks(exchange.events, Direction::request, sent.received, sent.kept);
  if (exchange.response) {
    auto& body = exchange.response->body;
    const auto response_size = body.bytes.size();
    auto done = redact_response(request.origin, *exchange.response, changed(response_stream), tally);
    if (!done) return done.error();
    if (response_stream != nullptr) body.form = response_stream->form();
    const auto got = sizes_of(response_size, body, response_stream);
    scale_chunks(exchange.events, Direction::response, got.received, got.kept);
    if (exchange.failure && got.received != got.kept) {
      exchange.failure->response_bytes = scaled(exchange.failure->response_bytes, got.received, got.kept);
    }
  }
  if (exchange.failure) {
    known_->learn(tally.take_found());
    remove_known(exchange.failure->code, *known_->all(), false, &tally);
  }
  add_counts(tally, request_stream);
  add_counts(tally, response_stream);
  return RedactedExchange(std::move(exchange), tally.take());
}

std::unique_ptr<BodyRedactionStream> Redactor::stream(const Headers& headers, const RuleScope& scope) const {
  auto body = std::make_unique<CodedBodyRedaction>(headers, scope, known_);
  return std::unique_ptr<BodyRedactionStream>(new BodyRedactionStream(std::move(body)));
}

std::unique_ptr<BodyRedactionStream> Redactor::stream_request_body(const Request& head) const {
  return stream(head.headers, scope_of(head.origin, false));
}

// The body may hold what the heads do, and the heads are redacted only when it is over.
std::unique_ptr<BodyRedactionStream> Redactor::stream_response_body(const Request& request_head,
                                                                    const Response& head) const {
  const auto request_scope = scope_of(request_head.origin, false);
  const auto scope = scope_of(request_head.origin, true);
  Tally tally;
  Request request;
  request.target = request_head.target;
  request.headers = request_head.headers;
  apply_rules_to_target(request, request_scope, &tally);
  redact_headers(request.headers, request_scope, false, &tally);
  auto headers = head.headers;
  redact_headers(headers, scope, is_redirect_status(head.status), &tally);
  known_->learn(tally.take_found());
  return stream(head.headers, scope);
}

Result<void> Redactor::redact_request(Request& request) const {
  return redact_request(request, false, nullptr);
}

std::string Redactor::redact_target(const Origin& origin, std::string_view target) const {
  Request request;
  request.target = target;
  apply_rules_to_target(request, scope_of(origin, false), nullptr);
  remove_known(request.target, *known_->all(), true, nullptr);
  return std::move(request.target);
}

std::string Redactor::redact_text(std::string_view text) const {
  std::string clean(text);
  remove_known(clean, *known_->all(), false, nullptr);
  return clean;
}

RuleScope Redactor::scope_of(const Origin& origin, bool is_response) const {
  RuleScope scope{*rules_, 0, is_response};
  for (std::size_t i = 0; i < profiles_.size(); ++i) {
    const auto& hosts = profiles_[i].hosts;
    const auto matches = [&](const std::string& glob) { return host_glob_matches(glob, origin.host, origin.port); };
    if (std::any_of(hosts.begin(), hosts.end(), matches)) scope.profiles |= std::uint64_t{1} << i;
  }
  return scope;
}

void Redactor::apply_rules_to_target(Request& request, const RuleScope& scope, Tally* tally) const {
  TextEdits edits;
  find_url_secrets(request.target, 0, request.target.size(), {scope, SecretPlace::query, false, false}, edits);
  if (edits.empty()) return;
  auto target = edited(request.target, edits);
  if (tally != nullptr) {
    tally->add(edits);
    tally->found(request.target, edits);
  }
  request.target = std::move(target);
}

bool Redactor::remove_known(std::string& text, const SecretPatterns& patterns, bool percent_coded, Tally* tally) const {
  TextEdits edits;
  find_echoes(text, patterns, *rules_, percent_coded, edits);
  if (edits.empty()) return false;
  text = edited(text, edits);
  if (tally != nullptr) tally->add(edits);
  return true;
}

bool Redactor::remove_known(Headers& headers, const SecretPatterns& patterns, Tally* tally) const {
  if (patterns.empty()) return false;
  bool any = false;
  TextEdits edits;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto field = headers[i];
    if (field.value.size() < patterns.shortest() || is_framing(field.name)) continue;
    edits.clear();
    const auto* rule = rules_->find(SecretPlace::header, KeyText::of(field.name), 0);
    const bool is_url = rule != nullptr && (rule->form == HeaderForm::url || rule->form == HeaderForm::links);
    find_echoes(field.value, patterns, *rules_, is_url, edits);
    if (edits.empty()) continue;
    headers.set_value(i, edited(field.value, edits));
    if (tally != nullptr) tally->add(edits);
    any = true;
  }
  return any;
}

// As BodyRedaction::remove_known does it.
void Redactor::remove_known(Headers& headers, const SecretPatterns& patterns, const RuleScope& scope, bool is_redirect,
                            Tally* tally) const {
  for (int left = removal_rounds_max; left > 0 && remove_known(headers, patterns, tally); --left) {
    redact_headers(headers, scope, is_redirect, tally);
  }
}

Result<void> Redactor::redact_request(Request& request, bool body_elsewhere_changed, Tally* tally) const {
  const auto scope = scope_of(request.origin, false);
  const auto& literals = known_->literals();
  apply_rules_to_target(request, scope, tally);
  for (int left = removal_rounds_max; left > 0 && remove_known(request.target, literals, true, tally); --left) {
    apply_rules_to_target(request, scope, tally);
  }
  auto body = BodyRedaction::open(request.headers, request.body, limits_.decoded_body_bytes_max, tally);
  if (!body) return body.error();
  body->apply_rules(scope, tally);
  body->remove_known(literals, scope, tally);
  const bool changed = body->close() || body_elsewhere_changed;
  for (auto* headers : {&request.headers, &request.trailers}) {
    redact_headers(*headers, scope, false, tally);
    remove_known(*headers, literals, scope, false, tally);
    if (changed) redact_digests(*headers, scope, tally);
  }
  return {};
}

// First everything by the rules, so that what they find anywhere in the exchange is known when the rest is searched.
Result<void> Redactor::redact_response(const Origin& origin, Response& response, bool body_elsewhere_changed,
                                       Tally& tally) const {
  const auto scope = scope_of(origin, true);
  const bool is_redirect = is_redirect_status(response.status);
  auto body = BodyRedaction::open(response.headers, response.body, limits_.decoded_body_bytes_max, &tally);
  if (!body) return body.error();
  body->apply_rules(scope, &tally);
  for (auto& interim : response.interim) redact_headers(interim.headers, scope, false, &tally);
  // The body is still looked through by the type that its head names, so values of other fields alone change here.
  auto headers = response.headers;
  redact_headers(headers, scope, is_redirect, &tally);
  redact_headers(response.trailers, scope, is_redirect, &tally);
  known_->learn(tally.take_found());
  const auto known = known_->all();
  body->remove_known(*known, scope, &tally);
  const bool changed = body->close() || body_elsewhere_changed;
  response.headers = std::move(headers);
  remove_known(response.reason, *known, false, &tally);
  for (auto& interim : response.interim) {
    remove_known(interim.reason, *known, false, &tally);
    remove_known(interim.headers, *known, scope, false, &tally);
  }
  for (auto* fields : {&response.headers, &response.trailers}) {
    remove_known(*fields, *known, scope, is_redirect, &tally);
    if (changed) redact_digests(*fields, scope, &tally);
  }
  return {};
}

}  // namespace tapedeck
