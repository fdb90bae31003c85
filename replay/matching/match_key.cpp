#include "replay/matching/match_key.hpp"

#include <algorithm>
#include <cassert>

#include "replay/matching/body_key.hpp"
#include "replay/matching/match_rules.hpp"
#include "replay/matching/url_normalisation.hpp"

namespace tapedeck {

namespace {

void append_line(std::string& text, std::string_view name, std::string_view value) {
  text.append(name) += ' ';
  for (auto at = value.find_first_of("\n\\"); at != std::string_view::npos; at = value.find_first_of("\n\\")) {
    text.append(value.substr(0, at)).append(value[at] == '\n' ? "\\n" : "\\\\");
    value.remove_prefix(at + 1);
  }
  text.append(value) += '\n';
}

void append_prefix(std::string& text, const MatchKey& key, SharedFields shared) {
  append_line(text, "origin", key.origin);
  if (shared == SharedFields::origin) return;
  append_line(text, "path", key.path);
  if (shared == SharedFields::origin_and_path) return;
  append_line(text, "method", key.method);
}

std::string unescaped(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool escape = value[i] == '\\' && i + 1 < value.size();
    if (escape) ++i;
    text += escape && value[i] == 'n' ? '\n' : value[i];
  }
  return text;
}

}  // namespace

std::string key_text_prefix(const MatchKey& key, SharedFields shared) {
  std::string text;
  append_prefix(text, key, shared);
  return text;
}

std::string MatchKey::text() const {
  std::string text;
  text.reserve(origin.size() + path.size() + 64 * query.size() + range.size() + body.size() + 128);
  append_prefix(text, *this, SharedFields::origin_path_and_method);
  for (const auto& pair : query) append_line(text, "query", pair);
  append_line(text, "range", range);
  append_line(text, "body-kind", body_kind);
  append_line(text, "body", body);
  return text;
}

MatchKey MatchKey::of_text(std::string_view text) {
  MatchKey key;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto name = line.substr(0, line.find(' '));
    auto value = unescaped(line.substr(std::min(name.size() + 1, line.size())));
    if (name == "origin") key.origin = std::move(value);
    if (name == "path") key.path = std::move(value);
    if (name == "method") key.method = std::move(value);
    if (name == "query") key.query.push_back(std::move(value));
    if (name == "range") key.range = std::move(value);
    if (name == "body-kind") key.body_kind = std::move(value);
    if (name == "body") key.body = std::move(value);
  }
  return key;
}

MatchKey MatchKey::with_unfinished_body() const {
  auto key = *this;
  key.body_kind = "unfinished";
  key.body.clear();
  return key;
}

std::string MatchKey::request_line() const {
  std::string line = method + " " + origin + path;
  for (std::size_t i = 0; i < query.size(); ++i) line.append(i == 0 ? "?" : "&").append(query[i]);
  return line;
}

MatchKeyMaker::MatchKeyMaker(std::vector<Profile> profiles) : profiles_(std::move(profiles)) {
}

namespace {

MatchKey with_body(MatchKey key, BodyKey body) {
  key.body_kind = std::move(body.kind);
  key.body = std::move(body.body);
  return key;
}

}  // namespace

MatchKey MatchKeyMaker::make(const Request& request) const {
  IgnoredKeys ignored;
  auto key = make_without_body(request, ignored);
  return with_body(std::move(key), body_key_of(request, ignored));
}

MatchKey MatchKeyMaker::make(const Request& request, BodyKey long_body) const {
  IgnoredKeys ignored;
  return with_body(make_without_body(request, ignored), std::move(long_body));
}

// Each part comes with its size, so that no two lists of rules have the same text.
std::string MatchKeyMaker::rules_text() const {
  std::string text;
  const auto append = [&text](std::string_view part) {
    text.append(std::to_string(part.size())).append(":").append(part);
  };
  for (const auto& profile : profiles_) {
    if (profile.matching.empty()) continue;
    text += "profile ";
    for (const auto& host : profile.hosts) append(host);
    for (const auto& rule : profile.matching) {
      text.append(" rule ").append(std::to_string(static_cast<int>(rule.kind))).append(" ");
      for (const std::string_view part : {rule.key, rule.method, rule.path}) append(part);
    }
    text += '\n';
  }
  return text;
}

// Also tells what the rules leave out of this request's key.
MatchKey MatchKeyMaker::make_without_body(const Request& request, IgnoredKeys& ignored) const {
  const auto target = split_target(request.target);
  MatchKey key;
  key.origin = request.origin.text();
  key.method = request.method;
  key.path = normalised_path(target.path);
  ignored = ignored_keys_for(profiles_, request.origin, key.method, key.path);
  key.query = normalised_pairs(target.query);
  std::erase_if(key.query, [&](const std::string& pair) {
    return std::find(ignored.query.begin(), ignored.query.end(), decoded_pair(pair).key) != ignored.query.end();
  });
  key.range = request.headers.find("Range").value_or("");
  return key;
}

}  // namespace tapedeck
