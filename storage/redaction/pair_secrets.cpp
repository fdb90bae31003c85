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

class PairFinder {
 public:
  PairFinder(std::string_view text, std::size_t end, const PairScan& scan, TextEdits& edits)
      : text_(text.substr(0, end)), scan_(scan), edits_(edits) {}

  void run(std::size_t at) {
    while (at < text_.size()) {
      const auto equals = key_end(at);
      if (equals < text_.size() && text_[equals] == '=') {
        at = pair(at, equals);
      } else {
        at = equals + separator_size(equals);
      }
    }
    for (const auto& edit : waiting_) {
      if (fires(edit)) edits_.push_back(edit);
    }
  }

 private:
  // Where a key, or the value of a harmless key, ends. `;` and line ends separate in odd forms; `?` and `#` begin a
  // query inside a query.
  bool separates(std::size_t at) const { return separator_size(at) != 0; }
  std::size_t separator_size(std::size_t at) const {
    if (at >= text_.size()) return 1;
    const char c = text_[at];
    if (c == '&' || c == ';' || c == '?' || c == '#' || c == '\n' || c == '\r') return 1;
    if (scan_.json_escaped && c == '\\' && is_escaped_ampersand(at)) return json_escaped_ampersand.size();
    return 0;
  }
  bool is_escaped_ampersand(std::size_t at) const {
    return text_.substr(at, json_escaped_ampersand.size()) == json_escaped_ampersand;
  }

  std::size_t key_end(std::size_t at) const {
    while (at < text_.size() && text_[at] != '=' && !separates(at)) ++at;
    return at;
  }

  // A secret may hold every separator but the one of its own kind.
  std::size_t secret_end(std::size_t at) const {
    const bool in_url = scan_.place == SecretPlace::query;
    while (at < text_.size() && text_[at] != '&' && !(in_url && text_[at] == '#') &&
           !(scan_.json_escaped && is_escaped_ampersand(at))) {
      ++at;
    }
    return at;
  }

  std::size_t pair(std::size_t key_at, std::size_t equals) {
    const auto key = KeyText::of_percent_coded(text_.substr(key_at, equals - key_at));
    const auto* rule = scan_.scope.find(scan_.place, key);
    if (rule == nullptr) {
      auto at = equals + 1;
      while (at < text_.size() && !separates(at)) ++at;
      return at + separator_size(at);
    }
    const auto end = secret_end(equals + 1);
    const auto value = text_.substr(equals + 1, end - equals - 1);
    switch (rule->effect) {
      case SecretEffect::names_grant:
        code_grant_ = code_grant_ || value == "authorization_code";
        password_grant_ = password_grant_ || value == "password";
        break;
      case SecretEffect::marks_oauth_redirect:
        beside_state_ = true;
        break;
      default:
        if (rule->keeps(percent_decode(value))) break;
        const TextEdit edit{equals + 1, end, rule, true};
        (rule->effect == SecretEffect::replace ? edits_ : waiting_).push_back(edit);
    }
    return end + separator_size(end);
  }

  // Decided at the end, since what a secret stands beside may come behind it.
  bool fires(const TextEdit& edit) const {
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

  std::string_view text_;
  const PairScan& scan_;
  TextEdits& edits_;
  TextEdits waiting_;
  bool code_grant_ = false;
  bool password_grant_ = false;
  bool beside_state_ = false;
};

// `https://user:password@host` (RFC 3986 §3.2.1), also inside a path. Without a scheme it may be a path of its own.
void find_userinfo(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan, TextEdits& edits) {
  const auto url = text.substr(begin, end - begin);
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos || scheme_end > url.find_first_of("?#")) return;
  const auto authority_at = scheme_end + 3;
  const auto authority = url.substr(authority_at, url.find_first_of("/?#\\", authority_at) - authority_at);
  const auto at_sign = authority.rfind('@');
  if (at_sign == std::string_view::npos || at_sign == 0) return;
  const auto& rule = scan.scope.table.userinfo();
  if (rule.keeps(percent_decode(authority.substr(0, at_sign)))) return;
  edits.push_back({begin + authority_at, begin + authority_at + at_sign, &rule, true});
}

}  // namespace

void find_pair_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                       TextEdits& edits) {
  PairFinder(text, end, scan, edits).run(begin);
}

void find_url_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                      TextEdits& edits) {
  find_userinfo(text, begin, end, scan, edits);
  const auto query = text.substr(0, end).find_first_of("?#", begin);
  if (query != std::string_view::npos) find_pair_secrets(text, query + 1, end, scan, edits);
}

bool looks_like_form(std::string_view text) {
  constexpr std::size_t looked_at = 512;
  text = text.substr(0, looked_at);
  const auto plain = [](char c) { return c > ' ' && c != '<' && c != '"' && c != '{' && c != '\x7f'; };
  return text.find('=') != std::string_view::npos &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find('=')), plain);
}

}  // namespace tapedeck
