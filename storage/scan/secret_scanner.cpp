#include "storage/scan/secret_scanner.hpp"

#include <algorithm>
#include <cassert>
#include <optional>

#include "storage/scan/exchange_places.hpp"
#include "storage/scan/redaction_difference.hpp"
#include "storage/scan/secret_shapes.hpp"

namespace tapedeck {

namespace {

// Even of a long value no more than this is told.
constexpr std::size_t shown_bytes_max = 3;

bool overlap(const SuspectSpan& one, const SuspectSpan& other) {
  return one.begin < other.end && other.begin < one.end;
}

Finding finding_of(const ExchangePlace& place, std::string_view text, const SuspectSpan& span,
                   std::uint64_t body_offset) {
  Finding finding;
  finding.kind = span.kind;
  finding.at = place.is_body() ? body_offset + span.begin : span.begin;
  finding.place = place.name() + (place.is_body() ? ", byte " + std::to_string(finding.at) : "");
  finding.rule = span.rule;
  finding.value_bytes = span.end - span.begin;
  finding.value_start = text.substr(span.begin, std::min(shown_bytes_max, finding.value_bytes / 4));
  return finding;
}

// A body that is kept without the coding that its head names would be taken for a corrupt one.
void drop_undone_coding(Headers& headers, const Body& body) {
  if (body.form == BodyForm::identity) headers.remove("Content-Encoding");
}

// The exchange with all secrets taken out, and what was taken out of which place.
class RedactedTwin {
 public:
  RedactedTwin(const Redactor& redactor, const Exchange& exchange, std::size_t decoded_bytes_max)
      : redactor_(redactor), decoded_bytes_max_(decoded_bytes_max), redacted_(redactor.redact(exchange)) {
    if (!redacted_) return;
    twin_ = redacted_->exchange();
    places_ = places_of(twin_);
  }

  const Result<RedactedExchange>& redacted() const { return redacted_; }

  void find_in(std::size_t index, const ExchangePlace& place, std::string_view text, std::vector<SuspectSpan>& found) {
    if (!redacted_ || redacted_->counts().empty()) return;
    std::string decoded;
    const std::string_view redacted_text = places_[index].text(decoded, decoded_bytes_max_);
    if (redacted_text == text) return;
    const std::string rule = rule_of(index, place);
    for (SuspectSpan& span : redaction_difference(text, redacted_text)) {
      span.rule = rule;
      found.push_back(std::move(span));
    }
  }

 private:
  // The counts of a redaction name rules but no places. So the one place is put back alone and redacted once more.
  std::string rule_of(std::size_t index, const ExchangePlace& place) const {
    Exchange probe = twin_;
    if (!place.is_body()) {
      probe.request.body = {};
      if (probe.response) probe.response->body = {};
    }
    places_of(probe)[index].copy_from(place);
    const auto redacted = redactor_.redact(std::move(probe));
    std::string names;
    if (!redacted) return names;
    for (const RedactionCount& count : redacted->counts()) {
      if (count.rule.starts_with("undecod")) continue;
      names += (names.empty() ? "" : " or ") + count.rule;
    }
    return names.empty() ? "redaction" : names;
  }

  const Redactor& redactor_;
  std::size_t decoded_bytes_max_;
  Result<RedactedExchange> redacted_;
  Exchange twin_;
  std::vector<ExchangePlace> places_;
};

// What could not be looked into is told, since it may hide anything.
void tell_unread(const Result<RedactedExchange>& redacted, std::vector<Finding>& findings) {
  if (!redacted) {
    findings.push_back({Finding::Kind::warning, "a body", redacted.error().detail, {}, 0, 0});
    return;
  }
  for (const RedactionCount& count : redacted->counts()) {
    if (!count.rule.starts_with("undecod")) continue;
    findings.push_back({Finding::Kind::warning, "a body", count.rule + ", so it could not be read", {}, 0, 0});
  }
}

}  // namespace

SecretScanner::SecretScanner(const Redactor& redactor, const std::vector<LiteralSecret>& secrets, const Limits& limits)
    : redactor_(redactor), decoded_bytes_max_(limits.decoded_body_bytes_max) {
  for (const LiteralSecret& secret : secrets) literals_.emplace_back(secret);
}

std::vector<Finding> SecretScanner::scan(Exchange exchange, std::uint64_t body_offset) const {
  drop_undone_coding(exchange.request.headers, exchange.request.body);
  if (exchange.response) drop_undone_coding(exchange.response->headers, exchange.response->body);
  RedactedTwin twin(redactor_, exchange, decoded_bytes_max_);
  std::vector<Finding> findings;
  const auto places = places_of(exchange);
  for (std::size_t i = 0; i < places.size() && findings.size() < findings_max; ++i) {
    std::string decoded;
    const std::string_view text = places[i].text(decoded, decoded_bytes_max_);
    if (text.empty()) continue;
    std::vector<SuspectSpan> suspects;
    for (const LiteralForms& literal : literals_) literal.find_in(text, suspects);
    twin.find_in(i, places[i], text, suspects);
    find_secret_shapes(text, suspects);
    find_random_strings(text, suspects);
    for (std::size_t n = 0; n < suspects.size() && findings.size() < findings_max; ++n) {
      const auto earlier = suspects.begin() + static_cast<std::ptrdiff_t>(n);
      const auto same = [&](const SuspectSpan& other) { return overlap(suspects[n], other); };
      if (std::any_of(suspects.begin(), earlier, same)) continue;
      findings.push_back(finding_of(places[i], text, suspects[n], body_offset));
    }
  }
  tell_unread(twin.redacted(), findings);
  return findings;
}

}  // namespace tapedeck
