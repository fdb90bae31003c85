#include "storage/redaction/known_secrets.hpp"

#include <algorithm>
#include <bitset>
#include <iterator>

#include "storage/redaction/encoded_text.hpp"
#include "storage/redaction/header_secrets.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

// Longer values are known by their pieces, so that a search need not look far.
constexpr std::size_t piece_bytes = 512;
constexpr std::size_t undone_levels_max = 3;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::size_t distinct_bytes(std::string_view value) {
  std::bitset<256> seen;
  for (const char c : value) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

// Names, time zones and languages stand in these slots too.
bool is_often_a_name(const SecretRule& rule) {
  return rule.form == HeaderForm::cookies || rule.form == HeaderForm::set_cookie ||
         rule.text.find("username") != std::string::npos || rule.text.find("client-id") != std::string::npos;
}

bool looks_random(std::string_view value) {
  constexpr std::size_t long_anyway = 24;
  return value.size() >= long_anyway ||
         (std::any_of(value.begin(), value.end(), is_digit) && std::any_of(value.begin(), value.end(), is_letter));
}

// Undone as far as it goes: what is learned is what the slot means.
std::string plain_form(std::string_view value) {
  std::string plain(value);
  UnescapedText undone;
  for (std::size_t level = 0; level < undone_levels_max && unescape_all(plain, undone); ++level) plain = undone.text;
  return plain;
}

std::string_view without_quotes(std::string_view value) {
  return value.size() > 1 && value.starts_with('"') && value.ends_with('"') ? value.substr(1, value.size() - 2) : value;
}

std::vector<std::string> pieces_of(std::string_view value) {
  std::vector<std::string> pieces;
  while (value.size() > piece_bytes + KnownSecrets::learned_length_min) {
    pieces.emplace_back(value.substr(0, piece_bytes));
    value.remove_prefix(piece_bytes);
  }
  pieces.emplace_back(value);
  return pieces;
}

SecretRule echo_rule(const SecretRule& slot, std::string_view value) {
  SecretRule rule;
  rule.name = "echo of " + slot.name;
  const bool jwt = slot.shape == PlaceholderShape::tagged && looks_like_jwt(value);
  rule.text = jwt ? slot.jwt_text : slot.text;
  rule.percent_text = jwt ? slot.jwt_text : slot.percent_text;
  return rule;
}

}  // namespace

bool is_worth_learning(std::string_view value, const SecretRule& rule) {
  constexpr std::size_t number_length_max = 20;
  constexpr std::size_t distinct_min = 4;
  constexpr std::string_view common[] = {"[object object]",  "client_credentials", "authorization_code",
                                         "xmlhttprequest",   "application/json",   "application/x-www-form-urlencoded",
                                         "urn:ietf:wg:oauth"};
  if (plain_form(value).size() < KnownSecrets::learned_length_min || distinct_bytes(value) < distinct_min) return false;
  if (value.find("tapedeck") != std::string_view::npos || is_placeholder(PlaceholderShape::uuid, value) ||
      is_placeholder(PlaceholderShape::jwt, value)) {
    return false;
  }
  const bool number = std::none_of(value.begin(), value.end(), is_letter);
  if (number && value.size() < number_length_max) return false;
  if (std::any_of(std::begin(common), std::end(common), [&](auto word) { return equal_without_case(word, value); })) {
    return false;
  }
  return !is_often_a_name(rule) || looks_random(value);
}

KnownSecrets::KnownSecrets(const std::vector<LiteralSecret>& literals) {
  for (const auto& literal : literals) {
    SecretRule rule;
    rule.name = "secret " + literal.placeholder_class;
    rule.text = placeholder(PlaceholderShape::tagged, literal.placeholder_class);
    rule.percent_text = percent_encode(rule.text);
    for (const auto& piece : pieces_of(literal.value)) {
      named_.push_back(std::make_shared<const KnownSecret>(piece, rule));
    }
  }
  literals_ = std::make_shared<const SecretPatterns>(named_);
  all_ = literals_;
}

std::shared_ptr<const SecretPatterns> KnownSecrets::all() const {
  const std::lock_guard lock(mutex_);
  return all_;
}

void KnownSecrets::learn(const std::vector<FoundSecret>& found) {
  auto pieces_left = learned_at_once_max;
  learn(found, pieces_left);
}

void KnownSecrets::learn(const std::vector<FoundSecret>& found, std::size_t& pieces_left) {
  if (found.empty()) return;
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (const auto& secret : found) any |= learn(secret, pieces_left);
  if (!any) return;
  auto secrets = named_;
  for (const auto& [value, learned] : by_value_) secrets.push_back(*learned);
  all_ = std::make_shared<const SecretPatterns>(std::move(secrets));
}

bool KnownSecrets::learn(const FoundSecret& found, std::size_t& pieces_left) {
  const auto& rule = *found.rule;
  const auto value = found.percent_coded ? percent_decode(found.value) : std::string(without_quotes(found.value));
  bool any = learn_value(value, rule, pieces_left);
  if (found.percent_coded && value != found.value) any |= learn_value(found.value, rule, pieces_left);
  // In JSON a percent sign stands for itself: only its own escapes lie between the text and the value.
  std::string plain = value;
  UnescapedText undone;
  for (std::size_t level = 0; rule.place == SecretPlace::json && level < undone_levels_max; ++level) {
    unescape_json(plain, undone);
    if (undone.text == plain) break;
    plain = undone.text;
    any |= learn_value(plain, rule, pieces_left);
  }
  // `Basic` (RFC 7617 §2) and userinfo: both halves are secrets of their own.
  std::string pair;
  if (rule.key == "basic") {
    pair = base64_decode(value);
    any |= learn_value(pair, rule, pieces_left);
  } else if (rule.key == "userinfo") {
    pair = value;
  }
  if (const auto colon = pair.find(':'); colon != std::string::npos) {
    any |= learn_value(std::string_view(pair).substr(colon + 1), rule, pieces_left);
    SecretRule user = rule;
    user.form = HeaderForm::cookies;
    if (is_worth_learning(pair.substr(0, colon), user)) any |= learn_value(pair.substr(0, colon), rule, pieces_left);
  }
  // A token field may hold `Bearer` and the token; the token alone comes back too.
  const auto space = value.find(' ');
  if (rule.place == SecretPlace::header && space != std::string::npos &&
      is_scheme_word(std::string_view(value).substr(0, space))) {
    any |= learn_value(std::string_view(value).substr(space + 1), rule, pieces_left);
  }
  return any;
}

bool KnownSecrets::learn_value(std::string_view value, const SecretRule& rule, std::size_t& pieces_left) {
  if (pieces_left == 0 || !is_worth_learning(value, rule)) return false;
  bool any = false;
  const auto echo = echo_rule(rule, value);
  for (const auto& piece : pieces_of(value)) {
    if (pieces_left == 0) break;
    // Known ones count as well: what was met in this call is then always among the youngest and stays.
    --pieces_left;
    const auto known = by_value_.find(piece);
    if (known != by_value_.end()) {
      by_age_.splice(by_age_.end(), by_age_, known->second);
      continue;
    }
    if (by_age_.size() == learned_max) forget_oldest();
    by_age_.push_back(std::make_shared<const KnownSecret>(piece, echo));
    by_value_.emplace(by_age_.back()->value, std::prev(by_age_.end()));
    any = true;
  }
  return any;
}

void KnownSecrets::forget_oldest() {
  by_value_.erase(by_age_.front()->value);
  by_age_.pop_front();
}

}  // namespace tapedeck
