#include "config/profile.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/embedded_profiles.hpp"
#include "config/parse_values.hpp"
#include "config/strict_json.hpp"
#include "config/text.hpp"

namespace tapedeck {

namespace {

using nlohmann::json;

Failure bad_profile(const std::string& where, const std::string& what) {
  return {"profile-bad", Blame::us, where + ": " + what};
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// One object of a profile while it is read. The first thing wrong is kept; what is read after it is of no account.
class RuleReader {
 public:
  RuleReader(const json& object, std::string where, std::span<const std::string_view> keys)
      : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) {
      fail("must be an object: write {…}");
    } else if (auto checked = check_keys(object_, keys, where_); !checked) {
      failure_ = checked.error();
    }
  }

  std::string text(const char* key, bool required) {
    if (failure_) return {};
    if (!object_.contains(key)) {
      if (required) fail("lacks the key \"" + std::string(key) + "\"; add it");
      return {};
    }
    if (!object_[key].is_string() || object_[key].get_ref<const std::string&>().empty()) {
      fail("\"" + std::string(key) + "\" must be a text that is not empty");
      return {};
    }
    return object_[key].get<std::string>();
  }

  std::int64_t number(const char* key) {
    if (failure_) return 0;
    const bool good = object_.contains(key) && object_[key].is_number_integer() &&
                      (!object_[key].is_number_unsigned() || object_[key].get<std::uint64_t>() <= INT64_MAX);
    if (!good) {
      fail("\"" + std::string(key) + "\" must be a whole number");
      return 0;
    }
    return object_[key].get<std::int64_t>();
  }

  template <class Value, std::size_t N>
  Value choice(const char* key, const std::array<std::pair<std::string_view, Value>, N>& choices, bool required) {
    const std::string given = text(key, required);
    if (given.empty()) return choices[0].second;
    std::array<std::string_view, N> names;
    for (std::size_t i = 0; i < N; ++i) {
      if (choices[i].first == given) return choices[i].second;
      names[i] = choices[i].first;
    }
    fail("\"" + std::string(key) + "\" is " + in_quotes(given) + "; write one of " + joined_list(names));
    return choices[0].second;
  }

  void fail(const std::string& what) {
    if (!failure_) failure_ = bad_profile(where_, what);
  }

  const std::optional<Failure>& failure() const { return failure_; }

 private:
  const json& object_;
  std::string where_;
  std::optional<Failure> failure_;
};

RedactionRule read_redaction(RuleReader& reader) {
  static constexpr std::array<std::pair<std::string_view, SecretPlace>, 4> places{{{"header", SecretPlace::header},
                                                                                   {"query", SecretPlace::query},
                                                                                   {"form", SecretPlace::form},
                                                                                   {"json", SecretPlace::json}}};
  static constexpr std::array<std::pair<std::string_view, PlaceholderShape>, 3> shapes{
      {{"tagged", PlaceholderShape::tagged}, {"uuid", PlaceholderShape::uuid}, {"jwt", PlaceholderShape::jwt}}};
  RedactionRule rule;
  rule.place = reader.choice("place", places, true);
  rule.key = lower_case(reader.text("key", true));
  rule.placeholder_class = reader.text("class", true);
  rule.shape = reader.choice("shape", shapes, false);
  if (!is_word(rule.placeholder_class)) reader.fail("\"class\" must be of a-z, 0-9 and '-'");
  return rule;
}

// `*` only as the last character, and a path as a request has it.
void check_path(RuleReader& reader, const std::string& path) {
  if (path.empty()) return;
  if (path.front() != '/') reader.fail("\"path\" must begin with '/'");
  if (path.find('*') < path.size() - 1) reader.fail("\"path\" may have a '*' at its end only");
}

MatchRule read_matching(RuleReader& reader) {
  static constexpr std::array<std::pair<std::string_view, MatchRule::Kind>, 3> kinds{
      {{"ignore_query", MatchRule::Kind::ignore_query},
       {"ignore_form", MatchRule::Kind::ignore_form},
       {"ignore_json", MatchRule::Kind::ignore_json}}};
  MatchRule rule;
  rule.kind = reader.choice("kind", kinds, true);
  rule.key = reader.text("key", true);
  rule.method = reader.text("method", false);
  rule.path = reader.text("path", false);
  check_path(reader, rule.path);
  return rule;
}

RewriteRule read_rewriting(RuleReader& reader) {
  static constexpr std::array<std::pair<std::string_view, RewriteRule::Kind>, 1> kinds{
      {{"json_number_at_least", RewriteRule::Kind::json_number_at_least}}};
  RewriteRule rule;
  rule.kind = reader.choice("kind", kinds, true);
  rule.key = reader.text("key", true);
  rule.value = reader.number("value");
  rule.path = reader.text("path", false);
  check_path(reader, rule.path);
  return rule;
}

template <class Rule, class Read>
Result<std::vector<Rule>> read_rules(const json& profile, const std::string& name, const char* list,
                                     std::span<const std::string_view> keys, Read read) {
  std::vector<Rule> rules;
  if (!profile.contains(list)) return rules;
  if (!profile[list].is_array()) return bad_profile(name, "\"" + std::string(list) + "\" must be a list: write […]");
  for (const json& item : profile[list]) {
    RuleReader reader(item, name + ": " + list + "[" + std::to_string(rules.size()) + "]", keys);
    rules.push_back(read(reader));
    if (reader.failure()) return *reader.failure();
  }
  return rules;
}

Result<std::vector<std::string>> read_hosts(const json& profile, const std::string& name) {
  std::vector<std::string> hosts;
  if (!profile.contains("hosts") || !profile["hosts"].is_array() || profile["hosts"].empty()) {
    return bad_profile(name, "\"hosts\" must list the hosts of the API, as in [\"api.x.io\"]");
  }
  for (const json& item : profile["hosts"]) {
    if (!item.is_string()) return bad_profile(name, "\"hosts\" must hold texts only, as in [\"api.x.io\"]");
    auto glob = parse_host_glob(item.get_ref<const std::string&>());
    if (!glob) return bad_profile(name, "hosts: " + glob.error().detail);
    hosts.push_back(std::move(*glob));
  }
  return hosts;
}

}  // namespace

Result<Profile> parse_profile(std::string_view json_text, std::string_view name_in_errors) {
  static constexpr std::array<std::string_view, 6> keys{"name",      "hosts",    "upstream",
                                                        "redaction", "matching", "rewriting"};
  static constexpr std::array<std::string_view, 4> redaction_keys{"place", "key", "class", "shape"};
  static constexpr std::array<std::string_view, 4> matching_keys{"kind", "key", "method", "path"};
  static constexpr std::array<std::string_view, 4> rewriting_keys{"kind", "key", "value", "path"};
  const std::string where(name_in_errors);
  json object;
  if (auto parsed = parse_strict_json(json_text, where, object); !parsed) return parsed.error();

  RuleReader reader(object, where, keys);
  Profile profile;
  profile.name = reader.text("name", true);
  const std::string upstream = reader.text("upstream", false);
  if (!is_word(profile.name) || profile.name == "none")
    reader.fail("\"name\" must be of a-z, 0-9 and '-', and not none");
  if (reader.failure()) return *reader.failure();
  if (!upstream.empty()) {
    auto url = parse_upstream_url(upstream);
    if (!url) return bad_profile(where, "upstream: " + url.error().detail);
    profile.upstream = std::move(*url);
  }
  auto hosts = read_hosts(object, where);
  if (!hosts) return hosts.error();
  auto redaction = read_rules<RedactionRule>(object, where, "redaction", redaction_keys, read_redaction);
  if (!redaction) return redaction.error();
  auto matching = read_rules<MatchRule>(object, where, "matching", matching_keys, read_matching);
  if (!matching) return matching.error();
  auto rewriting = read_rules<RewriteRule>(object, where, "rewriting", rewriting_keys, read_rewriting);
  if (!rewriting) return rewriting.error();
  profile.hosts = std::move(*hosts);
  profile.redaction = std::move(*redaction);
  profile.matching = std::move(*matching);
  profile.rewriting = std::move(*rewriting);
  return profile;
}

Result<Profile> load_profile(std::string_view name) {
  std::vector<std::string_view> names;
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    if (embedded.name == name) return parse_profile(embedded.json, "profiles/" + std::string(name) + ".json");
    names.push_back(embedded.name);
  }
  names.push_back("none");
  const auto near = nearest_word(name, names);
  return Failure{"profile-unknown", Blame::us,
                 "there is no profile " + in_quotes(name) + "; there are " + joined_list(names) +
                     (near ? ", did you mean " + std::string(*near) + "?" : "")};
}

}  // namespace tapedeck
