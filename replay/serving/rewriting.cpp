#include "replay/serving/rewriting.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/json_tokens.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t decoded_bytes_max = 8 * 1024 * 1024;

bool applies(const RewriteRule& rule, const Request& request) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  return rule.path.empty() || rule.path == path;
}

bool knows_host(const Profile& profile, const Origin& origin) {
  return std::any_of(profile.hosts.begin(), profile.hosts.end(),
                     [&](const std::string& glob) { return host_glob_matches(glob, origin.host, origin.port); });
}

// Raises each number under `rule.key` that is below the rule's value; all other bytes stay.
bool raise_numbers(std::string& json, const RewriteRule& rule) {
  std::vector<JsonToken> tokens;
  if (!tokenize_json(json, tokens)) return false;
  bool changed = false;
  for (std::size_t i = tokens.size(); i-- > 1;) {  // from the back, so that earlier offsets stay true
    const auto& value = tokens[i];
    const auto& key = tokens[i - 1];
    if (value.kind != JsonToken::Kind::number || key.kind != JsonToken::Kind::key) continue;
    if (unescape_json_string(std::string_view(json).substr(key.begin, key.end - key.begin)) != rule.key) continue;
    double number = 0;
    std::from_chars(json.data() + value.begin, json.data() + value.end, number);
    if (number >= static_cast<double>(rule.value)) continue;
    json.replace(value.begin, value.end - value.begin, std::to_string(rule.value));
    changed = true;
  }
  return changed;
}

}  // namespace

void rewrite_response(Response& response, const Request& request, const std::vector<Profile>& profiles) {
  std::vector<const RewriteRule*> rules;
  for (const auto& profile : profiles) {
    if (!knows_host(profile, request.origin)) continue;
    for (const auto& rule : profile.rewriting) {
      if (applies(rule, request)) rules.push_back(&rule);
    }
  }
  if (rules.empty() || response.body.bytes.empty()) return;

  const auto header = response.headers.find("Content-Encoding");
  const auto coding =
      response.body.form == BodyForm::identity || !header ? ContentCoding::identity : content_coding_of(*header);
  if (!coding) return;
  auto decoded = decode_content(*coding, response.body.bytes, decoded_bytes_max);
  if (!decoded) return;
  bool changed = false;
  for (const auto* rule : rules) changed |= raise_numbers(*decoded, *rule);
  if (!changed) return;
  response.body.bytes = encode_content(*coding, *decoded);
  if (response.body.form == BodyForm::verbatim) response.body.form = BodyForm::edited;
}

}  // namespace tapedeck
