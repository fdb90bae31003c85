#include "replay/matching/match_rules.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

bool has_host(const Profile& profile, const Origin& origin) {
  return std::any_of(profile.hosts.begin(), profile.hosts.end(),
                     [&](const auto& glob) { return host_glob_matches(glob, origin.host, origin.port); });
}

bool path_matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  pattern.remove_suffix(1);
  return path.starts_with(pattern);
}

bool applies(const MatchRule& rule, std::string_view method, std::string_view path) {
  return (rule.method.empty() || rule.method == method) && (rule.path.empty() || path_matches(rule.path, path));
}

}  // namespace

IgnoredKeys ignored_keys_for(std::span<const Profile> profiles, const Origin& origin, std::string_view method,
                             std::string_view path) {
  IgnoredKeys ignored;
  for (const auto& profile : profiles) {
    if (profile.matching.empty() || !has_host(profile, origin)) continue;
    for (const auto& rule : profile.matching) {
      if (!applies(rule, method, path)) continue;
      switch (rule.kind) {
        case MatchRule::Kind::ignore_query:
          ignored.query.push_back(rule.key);
          break;
        case MatchRule::Kind::ignore_form:
          ignored.form.push_back(rule.key);
          break;
        case MatchRule::Kind::ignore_json:
          ignored.json.push_back(rule.key);
          break;
      }
    }
  }
  return ignored;
}

}  // namespace tapedeck
