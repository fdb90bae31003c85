#include "storage/redaction/rules.hpp"

#include <stdexcept>

#include "storage/exchange/headers.hpp"
#include "storage/redaction/json_tokens.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

struct HeaderRow {
  const char* name;  // `*` in front: any field whose name ends so
  const char* placeholder_class;
  HeaderForm form = HeaderForm::whole;
};

// Field names are compared without `-` and `_`. No field but Range matters to matching, so this list may be generous.
constexpr HeaderRow header_rows[] = {
    {"authorization", "authorization", HeaderForm::credentials},
    {"proxy-authorization", "authorization", HeaderForm::credentials},
    {"x-authorization", "authorization", HeaderForm::credentials},
    {"x-forwarded-authorization", "authorization", HeaderForm::credentials},
    {"x-original-authorization", "authorization", HeaderForm::credentials},
    {"cookie", "cookie", HeaderForm::cookies},
    {"set-cookie", "cookie", HeaderForm::set_cookie},
    {"location", "", HeaderForm::url},
    {"content-location", "", HeaderForm::url},
    {"referer", "", HeaderForm::url},
    {"link", "", HeaderForm::links},
    {"refresh", "", HeaderForm::links},
    {"content-md5", "digest", HeaderForm::digest},
    {"digest", "digest", HeaderForm::digest},
    {"content-digest", "digest", HeaderForm::digest},
    {"repr-digest", "digest", HeaderForm::digest},
    {"x-amz-content-sha256", "digest", HeaderForm::digest},
    {"*api-key", "api-key"},
    {"apikey", "api-key"},
    {"x-auth-key", "api-key"},
    {"x-access-key", "api-key"},
    {"x-app-key", "api-key"},
    {"dd-application-key", "api-key"},
    {"ocp-apim-subscription-key", "api-key"},
    {"x-rapidapi-key", "api-key"},
    {"x-mashape-key", "api-key"},
    {"x-functions-key", "api-key"},
    {"x-parse-master-key", "api-key"},
    {"x-insert-key", "api-key"},
    {"x-query-key", "api-key"},
    {"*access-token", "access-token"},
    {"*auth-token", "access-token"},
    {"*session-token", "session-token"},
    {"*security-token", "session-token"},
    {"*refresh-token", "refresh-token"},
    {"*id-token", "id-token"},
    {"*csrf-token", "csrf-token"},
    {"*xsrf-token", "csrf-token"},
    {"x-token", "access-token"},
    {"token", "access-token"},
    {"auth", "access-token"},
    {"x-auth", "access-token"},
    {"x-user-token", "access-token"},
    {"x-api-token", "access-token"},
    {"api-token", "access-token"},
    {"private-token", "access-token"},
    {"job-token", "access-token"},
    {"deploy-token", "access-token"},
    {"circle-token", "access-token"},
    {"x-gitlab-token", "access-token"},
    {"x-github-token", "access-token"},
    {"x-vault-token", "access-token"},
    {"x-consul-token", "access-token"},
    {"x-plex-token", "access-token"},
    {"x-figma-token", "access-token"},
    {"x-postmark-server-token", "access-token"},
    {"x-postmark-account-token", "access-token"},
    {"x-goog-iam-authorization-token", "access-token"},
    {"x-jwt-assertion", "jwt"},
    {"x-jwt-token", "jwt"},
    {"x-jwt", "jwt"},
    {"jwt", "jwt"},
    {"client-id", "client-id"},
    {"x-client-id", "client-id"},
    {"*secret", "client-secret"},
    {"*secret-key", "client-secret"},
    {"*private-key", "private-key"},
    {"*password", "password"},
    {"x-drchrono-signature", "webhook-secret"},
};

constexpr unsigned query = 1u << static_cast<unsigned>(SecretPlace::query);
constexpr unsigned form = 1u << static_cast<unsigned>(SecretPlace::form);
constexpr unsigned json = 1u << static_cast<unsigned>(SecretPlace::json);
constexpr unsigned anywhere = query | form | json;

struct KeyRow {
  const char* key;  // `*` in front: any key that ends so
  const char* placeholder_class;
  unsigned places = anywhere;
  SecretEffect effect = SecretEffect::replace;
  bool separators_count = false;
  std::uint32_t length_min = 1;
};

// Keys are compared without `_`, `-` and case, so `clientSecret` is `client_secret`. What is business data elsewhere is
// narrowed: `clientId` is often a customer's number, a short `token` a place in a list, `code` almost anything.
constexpr KeyRow key_rows[] = {
    {"*client_secret", "client-secret"},
    {"client_id", "client-id", anywhere, SecretEffect::replace, true},
    {"*app_secret", "client-secret"},
    {"*api_secret", "client-secret"},
    {"*consumer_secret", "client-secret"},
    {"consumer_key", "client-id"},
    {"*shared_secret", "client-secret"},
    {"*signing_secret", "webhook-secret"},
    {"*webhook_secret", "webhook-secret"},
    {"secret", "secret"},
    {"secret_token", "webhook-secret"},
    {"callback_token", "webhook-secret"},
    {"*secret_key", "secret-key"},
    {"*secret_access_key", "secret-key"},
    {"*private_key", "private-key"},
    {"*api_key", "api-key"},
    {"hapikey", "api-key"},
    {"app_key", "api-key"},
    {"subscription_key", "api-key"},
    {"ocp_apim_subscription_key", "api-key"},
    {"*access_token", "access-token"},
    {"*auth_token", "access-token"},
    {"*bearer_token", "access-token"},
    {"api_token", "access-token"},
    {"oauth_token", "access-token"},
    {"token", "access-token", anywhere, SecretEffect::replace, false, 16},
    {"oauth_token_secret", "access-token-secret"},
    {"oauth_signature", "oauth-signature"},
    {"oauth_verifier", "auth-code"},
    {"*refresh_token", "refresh-token"},
    {"id_token", "id-token"},
    {"id_token_hint", "id-token"},
    {"session_token", "session-token"},
    {"*security_token", "session-token"},
    {"session_key", "session-token"},
    {"jsessionid", "session-token", query | form},
    {"phpsessid", "session-token", query | form},
    {"csrf_token", "csrf-token"},
    {"csrfmiddlewaretoken", "csrf-token"},
    {"authenticity_token", "csrf-token", query | form},
    {"subject_token", "access-token"},
    {"actor_token", "access-token"},
    {"client_assertion", "jwt"},
    {"assertion", "jwt", query | form},
    {"saml_response", "saml", query | form},
    {"jwt", "jwt"},
    {"password", "password"},
    {"passwd", "password"},
    {"pwd", "password"},
    {"passphrase", "password"},
    {"user_password", "password"},
    {"new_password", "password"},
    {"old_password", "password"},
    {"current_password", "password"},
    {"confirm_password", "password"},
    {"password_confirmation", "password"},
    {"auth_code", "auth-code"},
    {"authorization_code", "auth-code"},
    {"device_code", "auth-code"},
    {"code_verifier", "code-verifier"},
    {"one_time_password", "password"},
    {"x_amz_signature", "url-signature", query},
    {"x_goog_signature", "url-signature", query},
    {"sig", "url-signature", query, SecretEffect::replace, false, 16},
    {"code", "auth-code", query, SecretEffect::replace_in_oauth_redirect},
    {"code", "auth-code", form | json, SecretEffect::replace_in_code_grant},
    {"username", "username", anywhere, SecretEffect::replace_in_password_grant},
    {"user_name", "username", anywhere, SecretEffect::replace_in_password_grant},
    {"grant_type", "", anywhere, SecretEffect::names_grant},
    {"state", "", query, SecretEffect::marks_oauth_redirect},
    {"session_state", "", query, SecretEffect::marks_oauth_redirect},
};

struct SchemeRow {
  const char* scheme;
  const char* placeholder_class;
};

constexpr SchemeRow scheme_rows[] = {
    {"bearer", "access-token"},
    {"token", "access-token"},
    {"oauth", "access-token"},
    {"basic", "basic"},
    {"apikey", "api-key"},
    {"api-key", "api-key"},
    {"jwt", "jwt"},
    {"", "authorization"},
};

constexpr std::size_t place_count = 4;
constexpr std::string_view place_names[place_count] = {"header", "query", "form", "json"};

std::size_t number_of(SecretPlace place) {
  return static_cast<std::size_t>(place);
}

std::size_t hash_of(std::string_view canonical) {
  std::size_t hash = 0xcbf29ce484222325;
  for (const char c : canonical) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash ^ (hash >> 32);
}

// All endings that rules name end so; most keys do not, and are spared the comparison.
bool may_have_rule_by_suffix(std::string_view canonical) {
  return canonical.ends_with("key") || canonical.ends_with("token") || canonical.ends_with("secret") ||
         canonical.ends_with("password");
}

}  // namespace

bool SecretRule::keeps(std::string_view value) const {
  if (value.size() < length_min) return true;
  return value == text || is_placeholder(PlaceholderShape::tagged, value) ||
         (shape != PlaceholderShape::tagged &&
          (is_placeholder(PlaceholderShape::uuid, value) || is_placeholder(PlaceholderShape::jwt, value)));
}

void KeyText::clear() {
  canonical_size_ = lower_size_ = 0;
  too_long_ = part_ended_ = false;
}

void KeyText::add(char c) {
  if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  // `user[password]`, `passwords[]` and `spring.password`: only the last part counts, but an empty one is nothing.
  if (c == '[' || c == '.') {
    part_ended_ = true;
    return;
  }
  if (c == ']') {
    part_ended_ = false;
    return;
  }
  if (part_ended_) clear();
  if (lower_size_ == size_max) {
    too_long_ = true;
    return;
  }
  lower_[lower_size_++] = c;
  if (c != '_' && c != '-' && c != ' ') canonical_[canonical_size_++] = c;
}

void KeyText::close() {
  if (too_long_) canonical_size_ = lower_size_ = 0;
}

KeyText KeyText::of(std::string_view plain) {
  KeyText key;
  for (const char c : plain) key.add(c);
  key.close();
  return key;
}

KeyText KeyText::of_percent_coded(std::string_view coded) {
  KeyText key;
  for (std::size_t i = 0; i < coded.size(); ++i) {
    char c = coded[i] == '+' ? ' ' : coded[i];
    if (c == '%' && i + 2 < coded.size() && hex_digit_value(coded[i + 1]) >= 0 && hex_digit_value(coded[i + 2]) >= 0) {
      c = static_cast<char>(hex_digit_value(coded[i + 1]) * 16 + hex_digit_value(coded[i + 2]));
      i += 2;
    }
    key.add(c);
  }
  key.close();
  return key;
}

KeyText KeyText::of_json(std::string_view raw) {
  if (raw.find('\\') == std::string_view::npos) return of(raw);
  return of(unescape_json_string('"' + std::string(raw) + '"'));
}

RuleTable::RuleTable(const std::vector<Profile>& profiles) {
  if (profiles.size() > profiles_max) throw std::length_error("more than 64 profiles: leave some out");
  // A profile's rules come first, so that they win over a built-in rule for the same key.
  for (std::size_t i = 0; i < profiles.size(); ++i) add_profile(profiles[i], std::uint64_t{1} << i);
  for (const auto& row : header_rows) {
    SecretRule rule;
    rule.key = row.name;
    rule.form = row.form;
    add(std::move(rule), row.placeholder_class);
  }
  for (const auto& row : key_rows) {
    for (const auto place : {SecretPlace::query, SecretPlace::form, SecretPlace::json}) {
      if ((row.places & (1u << static_cast<unsigned>(place))) == 0) continue;
      SecretRule rule;
      rule.place = place;
      rule.key = row.key;
      rule.effect = row.effect;
      rule.separators_count = row.separators_count;
      rule.length_min = row.length_min;
      add(std::move(rule), row.placeholder_class);
    }
  }
  index();
  for (const auto& row : scheme_rows) {
    SecretRule rule;
    rule.key = row.scheme;
    schemes_.push_back(add(std::move(rule), row.placeholder_class));
  }
  SecretRule userinfo;
  userinfo.key = "userinfo";
  userinfo_ = add(std::move(userinfo), "userinfo");
}

const SecretRule* RuleTable::add(SecretRule rule, std::string_view placeholder_class) {
  rule.text = placeholder(rule.shape, placeholder_class);
  rule.percent_text = percent_encode(rule.text);
  rule.jwt_text = placeholder(PlaceholderShape::jwt, placeholder_class);
  classes_.emplace(placeholder_class);
  rule.name = std::string(place_names[number_of(rule.place)]) + ' ' + rule.key;
  rule.canonical = KeyText::of(rule.key).canonical();
  return &rules_.emplace_back(std::move(rule));
}

void RuleTable::add_profile(const Profile& profile, std::uint64_t bit) {
  for (const auto& given : profile.redaction) {
    SecretRule rule;
    rule.place = given.place;
    rule.key = KeyText::of(given.key).lower();
    rule.shape = given.shape;
    rule.profiles = bit;
    rule.separators_count = true;
    if (given.place == SecretPlace::header) {
      for (const auto& row : header_rows) {
        if (equal_without_case(row.name, given.key)) rule.form = row.form;
      }
    }
    if (rule.key.empty() || !is_placeholder_class(given.placeholder_class)) {
      throw std::invalid_argument("profile " + profile.name + ": the redaction rule for '" + given.key +
                                  "' needs a key of at most 48 letters and a class of lower-case letters, digits "
                                  "and hyphens");
    }
    add(std::move(rule), given.placeholder_class);
  }
}

void RuleTable::index() {
  for (std::size_t place = 0; place < place_count; ++place) {
    std::size_t size = 64;
    while (size < rules_.size() * 2) size *= 2;
    auto& buckets = buckets_[place];
    buckets.assign(size, nullptr);
    for (const auto& rule : rules_) {
      if (number_of(rule.place) != place) continue;
      if (rule.profiles == 0 && rule.canonical.starts_with('*')) {
        suffixes_[place].push_back(&rule);
        continue;
      }
      auto at = hash_of(rule.canonical) & (size - 1);
      while (buckets[at] != nullptr) at = (at + 1) & (size - 1);
      buckets[at] = &rule;
    }
  }
}

const SecretRule* RuleTable::find(SecretPlace place, const KeyText& key, std::uint64_t profiles) const {
  const auto canonical = key.canonical();
  if (canonical.empty()) return nullptr;
  const auto& buckets = buckets_[number_of(place)];
  for (auto at = hash_of(canonical) & (buckets.size() - 1); buckets[at] != nullptr;
       at = (at + 1) & (buckets.size() - 1)) {
    const auto& rule = *buckets[at];
    if (rule.profiles != 0 && (rule.profiles & profiles) == 0) continue;
    if (rule.canonical == canonical && (!rule.separators_count || rule.key == key.lower())) return &rule;
  }
  if (!may_have_rule_by_suffix(canonical)) return nullptr;
  for (const auto* rule : suffixes_[number_of(place)]) {
    if (canonical.ends_with(std::string_view(rule->canonical).substr(1))) return rule;
  }
  return nullptr;
}

const SecretRule& RuleTable::credentials(std::string_view scheme) const {
  for (const auto* rule : schemes_) {
    if (equal_without_case(rule->key, scheme)) return *rule;
  }
  return *schemes_.back();
}

}  // namespace tapedeck
