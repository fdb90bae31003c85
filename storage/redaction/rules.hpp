#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/profile.hpp"

namespace tapedeck {

// What finding a key or a field does. Some keys are secrets only beside others, and some are those others.
enum class SecretEffect : std::uint8_t {
  replace,
  replace_in_code_grant,      // beside grant_type=authorization_code (RFC 6749 §4.1.3)
  replace_in_password_grant,  // beside grant_type=password (RFC 6749 §4.3.2)
  replace_in_oauth_redirect,  // in a query, when the URL looks like the answer of an authorization server (§4.1.2)
  names_grant,
  marks_oauth_redirect,
};

// How the value of a header field is written.
enum class HeaderForm : std::uint8_t { whole, credentials, cookies, set_cookie, url, links, digest };

struct SecretRule {
  SecretPlace place = SecretPlace::header;
  std::string key;        // lower-case
  std::string canonical;  // `key` without separators
  std::string name;       // as counts call it: "json client_secret"
  std::string text;       // the placeholder
  std::string percent_text;
  std::string jwt_text;  // what stands for a value that is a JWT
  PlaceholderShape shape = PlaceholderShape::tagged;
  SecretEffect effect = SecretEffect::replace;
  HeaderForm form = HeaderForm::whole;
  bool separators_count = false;  // `client_id` is not `clientId`
  std::uint32_t length_min = 1;
  std::uint64_t profiles = 0;  // one bit for the profile the rule belongs to; 0 for a built-in rule

  // Whether `value` (decoded) may stay: it is what this rule would write, or already stands for a secret. A UUID or
  // JWT that replay handed out becomes the same tagged placeholder as any live token does.
  bool keeps(std::string_view value) const;
};

// A key as rules compare it: without case, and of `user[password]` or `spring.password` the last part. `canonical`
// also leaves out `_`, `-` and spaces. Allocates nothing; a key too long for any rule is never found.
class KeyText {
 public:
  static KeyText of(std::string_view plain);
  static KeyText of_percent_coded(std::string_view coded);
  static KeyText of_json(std::string_view raw);  // without the quotes, escapes still there

  std::string_view canonical() const { return {canonical_.data(), canonical_size_}; }
  std::string_view lower() const { return {lower_.data(), lower_size_}; }

 private:
  static constexpr std::size_t size_max = 48;

  KeyText() {}
  void add(char c);
  void clear();
  void close();

  std::array<char, size_max> canonical_;
  std::array<char, size_max> lower_;
  std::size_t canonical_size_ = 0;
  std::size_t lower_size_ = 0;
  bool too_long_ = false;
  bool part_ended_ = false;
};

// All rules, the built-in ones and those of profiles, made for quick look-ups. Immutable once it is shared.
class RuleTable {
 public:
  static constexpr std::size_t profiles_max = 64;

  explicit RuleTable(const std::vector<Profile>& profiles);

  // The rule for a key in that place, or null. `profiles` has the bits of the profiles whose rules hold.
  const SecretRule* find(SecretPlace place, const KeyText& key, std::uint64_t profiles) const;

  // What stands for the credentials of an Authorization field with that scheme word (RFC 9110 §11.4).
  const SecretRule& credentials(std::string_view scheme) const;
  const SecretRule& userinfo() const { return *userinfo_; }
  void add_class(std::string_view placeholder_class) { classes_.emplace(placeholder_class); }
  // Whether some rule writes placeholders of that class.
  bool knows_class(std::string_view placeholder_class) const { return classes_.contains(placeholder_class); }

 private:
  const SecretRule* add(SecretRule rule, std::string_view placeholder_class);
  void add_profile(const Profile& profile, std::uint64_t bit);
  void index();

  // A deque, since finders hold on to rules by address.
  std::deque<SecretRule> rules_;
  std::array<std::vector<const SecretRule*>, 4> buckets_;  // a place each; open addressing, a power of two
  std::array<std::vector<const SecretRule*>, 4> suffixes_;
  std::vector<const SecretRule*> schemes_;  // the last is for any other
  const SecretRule* userinfo_ = nullptr;
  std::set<std::string, std::less<>> classes_;
};

// The rules that hold for one host.
struct RuleScope {
  const RuleTable& table;
  std::uint64_t profiles = 0;
  bool is_response = false;  // where a JWT becomes a JWT, whatever the rule's shape

  const SecretRule* find(SecretPlace place, const KeyText& key) const { return table.find(place, key, profiles); }
};

}  // namespace tapedeck
