#include "storage/redaction/header_secrets.hpp"

#include <algorithm>

#include "storage/redaction/pair_secrets.hpp"

namespace tapedeck {

bool is_scheme_word(std::string_view word) {
  constexpr std::size_t size_max = 24;
  constexpr std::string_view with_digits[] = {"OAuth2", "AWS4-HMAC-SHA256", "SCRAM-SHA-1", "SCRAM-SHA-256"};
  if (std::any_of(std::begin(with_digits), std::end(with_digits),
                  [&](auto known) { return equal_without_case(known, word); })) {
    return true;
  }
  return !word.empty() && word.size() <= size_max && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

namespace {

// RFC 9110 §11.4: `scheme SP credentials`. Without a scheme the whole value is the secret.
void find_credentials(std::string_view value, const SecretRule& field, const RuleScope& scope, TextEdits& edits) {
  const auto space = std::min(value.find(' '), value.size());
  const auto scheme = value.substr(0, space);
  const auto begin = value.find_first_not_of(' ', space);
  const bool has_scheme = begin != std::string_view::npos && is_scheme_word(scheme);
  const auto& rule = field.profiles != 0 ? field : scope.table.credentials(has_scheme ? scheme : "");
  const auto at = has_scheme ? begin : 0;
  add_edit(edits, scope, rule, value.substr(at), at, value.size());
}

// The value of the pair (RFC 6265 §4) from `begin` to `end`; without `=` all of it is the value.
void find_cookie(std::string_view value, std::size_t begin, std::size_t end, const SecretRule& rule,
                 const RuleScope& scope, TextEdits& edits) {
  begin = std::min(value.find_first_not_of(" \t", begin), end);
  while (end > begin && (value[end - 1] == ' ' || value[end - 1] == '\t')) --end;
  const auto equals = value.substr(0, end).find('=', begin);
  if (equals != std::string_view::npos) begin = equals + 1;
  add_edit(edits, scope, rule, value.substr(begin, end - begin), begin, end);
}

void find_cookies(std::string_view value, const SecretRule& rule, const RuleScope& scope, TextEdits& edits) {
  for (std::size_t at = 0; at < value.size();) {
    const auto end = std::min(value.find(';', at), value.size());
    find_cookie(value, at, end, rule, scope, edits);
    at = end + 1;
  }
}

// `<URL>; rel=next, <URL>` (RFC 8288 §3) and `5; url=URL`.
void find_in_links(std::string_view value, const PairScan& scan, TextEdits& edits) {
  bool any = false;
  std::size_t close = 0;
  for (auto open = value.find('<'); open != std::string_view::npos; open = value.find('<', close)) {
    close = std::min(value.find('>', open), value.size());
    find_url_secrets(value, open + 1, close, scan, edits);
    any = true;
  }
  if (!any) find_url_secrets(value, 0, value.size(), scan, edits);
}

void find_in_field(const SecretRule& rule, std::string_view value, const RuleScope& scope, bool is_redirect,
                   TextEdits& edits) {
  const PairScan scan{scope, SecretPlace::query, is_redirect, false};
  switch (rule.form) {
    case HeaderForm::whole:
      add_edit(edits, scope, rule, value, 0, value.size());
      break;
    case HeaderForm::credentials:
      find_credentials(value, rule, scope, edits);
      break;
    case HeaderForm::cookies:
      find_cookies(value, rule, scope, edits);
      break;
    case HeaderForm::set_cookie:
      find_cookie(value, 0, std::min(value.find(';'), value.size()), rule, scope, edits);
      break;
    case HeaderForm::url:
      find_url_secrets(value, 0, value.size(), scan, edits);
      break;
    case HeaderForm::links:
      find_in_links(value, scan, edits);
      break;
    case HeaderForm::digest:
      break;
  }
}

// A URL's secrets count by their own rules, a field's other secrets by the field.
void count(const SecretRule& rule, const TextEdits& edits, Tally& tally) {
  if (rule.form == HeaderForm::url || rule.form == HeaderForm::links) return tally.add(edits);
  for (std::size_t i = 0; i < edits.size(); ++i) tally.add(rule.name);
}

}  // namespace

void redact_headers(Headers& headers, const RuleScope& scope, bool is_redirect, Tally* tally) {
  TextEdits edits;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto field = headers[i];
    const auto* rule = scope.find(SecretPlace::header, KeyText::of(field.name));
    if (rule == nullptr) continue;
    edits.clear();
    find_in_field(*rule, field.value, scope, is_redirect, edits);
    if (edits.empty()) continue;
    auto value = edited(field.value, edits);
    if (tally != nullptr) {
      tally->found(field.value, edits);
      count(*rule, edits, *tally);
    }
    headers.set_value(i, value);
  }
}

void redact_digests(Headers& headers, const RuleScope& scope, Tally* tally) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto* rule = scope.find(SecretPlace::header, KeyText::of(headers[i].name));
    if (rule == nullptr || rule->form != HeaderForm::digest || rule->keeps(headers[i].value)) continue;
    headers.set_value(i, rule->text);
    if (tally != nullptr) tally->add(rule->name);
  }
}

}  // namespace tapedeck
