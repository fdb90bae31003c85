#include "storage/redaction/pair_secrets.hpp"

#include <algorithm>

#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

// An authorization code is long. Beside `state` less is enough, but `?state=CA&code=90210` is no redirect; without
// `state` a redirect to `?code=62010` is business.
constexpr std::size_t code_length_beside_state_min = 6;
constexpr std::size_t code_length_in_redirect_min = 16;

constexpr std::string_view json_escaped_ampersand = "\\u0026";

}  // namespace

std::size_t PairFinder::find(std::string_view window, bool last, TextEdits& edits) {
  text_ = window;
  auto at = read_;
  bool more = inside_ == Inside::pairs || rest_of_long_value(at, last);
  while (more && at < text_.size()) more = pair(at, last);
  if (last) resolve_waiting();
  auto settled = waiting_.empty() ? at : std::min(at, waiting_.front().begin);
  if (!last && text_.size() - settled > held_bytes_max) {
    at = force(at);
    settled = at;
  }
  held_.settle(settled, edits);
  for (auto& edit : waiting_) {
    edit.begin -= settled;
    edit.end -= settled;
  }
  read_ = at - settled;
  return settled;
}

// Reads the pair at `at`; false when its end is not there yet.
bool PairFinder::pair(std::size_t& at, bool last) {
  const auto equals = key_end(at);
  if (equals == text_.size() && !last) return false;
  if (equals == text_.size() || text_[equals] != '=') {
    at = std::min(text_.size(), equals + separator_size(equals));
    return true;
  }
  const auto* rule = scan_.scope.find(scan_.place, KeyText::of_percent_coded(text_.substr(at, equals - at)));
  auto end = equals + 1;
  if (rule == nullptr) {
    while (end < text_.size() && separator_size(end) == 0) ++end;
  } else {
    end = secret_end(end);
  }
  if (end == text_.size() && !last) return false;
  if (rule != nullptr) take_value(*rule, equals + 1, end);
  at = std::min(text_.size(), end + separator_size(end));
  return true;
}

void PairFinder::take_value(const SecretRule& rule, std::size_t begin, std::size_t end) {
  const auto value = text_.substr(begin, end - begin);
  switch (rule.effect) {
    case SecretEffect::names_grant:
      code_grant_ = code_grant_ || value == "authorization_code";
      password_grant_ = password_grant_ || value == "password";
      break;
    case SecretEffect::marks_oauth_redirect:
      beside_state_ = true;
      break;
    default: {
      auto& list = rule.effect == SecretEffect::replace ? held_.all() : waiting_;
      add_edit(list, scan_.scope, rule, percent_decode(value), begin, end, Written::percent_coded);
    }
  }
}

// What is held is too much: the waiting edits are decided, and a value without end is passed over as it comes.
std::size_t PairFinder::force(std::size_t at) {
  resolve_waiting();
  if (text_.size() - at <= held_bytes_max) return at;
  const auto equals = key_end(at);
  const bool has_value = equals < text_.size() && text_[equals] == '=';
  const auto* rule =
      has_value ? scan_.scope.find(scan_.place, KeyText::of_percent_coded(text_.substr(at, equals - at))) : nullptr;
  const bool secret = rule != nullptr && rule->effect == SecretEffect::replace;
  if (secret) held_.all().push_back({equals + 1, text_.size(), rule, Written::percent_coded});
  inside_ = secret ? Inside::secret : Inside::harmless;
  long_secret_ = rule;
  return text_.size();
}

// True when the value's end was found.
bool PairFinder::rest_of_long_value(std::size_t& at, bool last) {
  auto end = at;
  if (inside_ == Inside::secret) {
    end = secret_end(at);
    if (end > at) held_.all().push_back({at, end, long_secret_, Written::nothing});
  } else {
    while (end < text_.size() && separator_size(end) == 0) ++end;
  }
  const bool ended = end < text_.size() || last;
  at = std::min(text_.size(), end + (ended ? separator_size(end) : 0));
  if (ended) inside_ = Inside::pairs;
  return ended;
}

// Where a key, or the value of a harmless key, ends. `;` and line ends separate in odd forms; `?` and `#` begin a query
// inside a query.
std::size_t PairFinder::separator_size(std::size_t at) const {
  if (at >= text_.size()) return 1;
  const char c = text_[at];
  if (c == '&' || c == ';' || c == '?' || c == '#' || c == '\n' || c == '\r') return 1;
  if (scan_.json_escaped && c == '\\' && is_escaped_ampersand(at)) return json_escaped_ampersand.size();
  return 0;
}

bool PairFinder::is_escaped_ampersand(std::size_t at) const {
  return text_.substr(at, json_escaped_ampersand.size()) == json_escaped_ampersand;
}

std::size_t PairFinder::key_end(std::size_t at) const {
  while (at < text_.size() && text_[at] != '=' && separator_size(at) == 0) ++at;
  return at;
}

// A secret may hold every separator but the one of its own kind.
std::size_t PairFinder::secret_end(std::size_t at) const {
  const bool in_url = scan_.place == SecretPlace::query;
  while (at < text_.size() && text_[at] != '&' && !(in_url && text_[at] == '#') &&
         !(scan_.json_escaped && is_escaped_ampersand(at))) {
    ++at;
  }
  return at;
}

bool PairFinder::fires(const TextEdit& edit) const {
  const auto length = edit.end - edit.begin;
  switch (edit.rule->effect) {
    case SecretEffect::replace_in_code_grant:
      return code_grant_;
    case SecretEffect::replace_in_password_grant:
      return password_grant_;
    case SecretEffect::replace_in_oauth_redirect:
      return code_grant_ || (beside_state_ && length >= code_length_beside_state_min) ||
             (scan_.is_redirect && length >= code_length_in_redirect_min);
    default:
      return true;
  }
}

// What a secret stands beside may come behind it, so this is asked at the end.
void PairFinder::resolve_waiting() {
  for (const auto& edit : waiting_) {
    if (fires(edit)) held_.all().push_back(edit);
  }
  waiting_.clear();
}

namespace {

// `https://user:password@host` (RFC 3986 §3.2.1), also inside a path. Without a scheme it may be a path of its own.
void find_userinfo(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan, TextEdits& edits) {
  const auto url = text.substr(begin, end - begin);
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos || scheme_end > url.find_first_of("?#")) return;
  const auto authority_at = scheme_end + 3;
  const auto authority = url.substr(authority_at, url.find_first_of("/?#\\", authority_at) - authority_at);
  const auto at_sign = authority.rfind('@');
  if (at_sign == std::string_view::npos || at_sign == 0) return;
  const auto value = percent_decode(authority.substr(0, at_sign));
  add_edit(edits, scan.scope, scan.scope.table.userinfo(), value, begin + authority_at, begin + authority_at + at_sign,
           Written::percent_coded);
}

}  // namespace

void find_pair_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                       TextEdits& edits) {
  const auto known = edits.size();
  PairFinder(scan).find(text.substr(begin, end - begin), true, edits);
  shift(edits, known, begin);
}

void find_url_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                      TextEdits& edits) {
  find_userinfo(text, begin, end, scan, edits);
  const auto query = text.substr(0, end).find_first_of("?#", begin);
  if (query != std::string_view::npos) find_pair_secrets(text, query + 1, end, scan, edits);
}

bool looks_like_form(std::string_view text) {
  text = text.substr(0, form_beginning_bytes);
  const auto plain = [](char c) { return c > ' ' && c != '<' && c != '"' && c != '{' && c != '\x7f'; };
  return text.find('=') != std::string_view::npos &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find('=')), plain);
}

}  // namespace tapedeck
