#include "replay/serving/miss_suggestion.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

namespace tapedeck {

namespace {

constexpr std::size_t suggested_rules_max = 3;

// The last member name of "$.requests[0].date".
std::optional<std::string> last_json_key(std::string_view path) {
  while (path.ends_with(']') && !path.ends_with("\"]")) path = path.substr(0, path.rfind('['));
  if (path.ends_with("\"]")) return std::nullopt;
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return std::string(path.substr(dot + 1));
}

// The rule that leaves one difference out of the key; nullopt when no rule can.
std::optional<std::string> rule_against(const FieldDifference& difference) {
  const std::string_view field = difference.field;
  const auto space = std::min(field.find(' '), field.size());
  const auto place = field.substr(0, space);
  const auto name = field.substr(std::min(space + 1, field.size()));
  std::optional<std::string> key;
  std::string kind;
  if (place == "query" || place == "form") {
    kind = place == "query" ? "ignore_query" : "ignore_form";
    key = std::string(name);
  } else if (place == "body" && name.starts_with('$')) {
    kind = "ignore_json";
    key = last_json_key(name);
  }
  if (!key || key->empty() || key->ends_with("…")) return std::nullopt;
  return R"({"kind": ")" + kind + R"(", "key": )" + nlohmann::json(*key).dump() + "}";
}

// nullopt when the differences are too many to be a matter of rules, or one of them is none.
std::optional<std::string> rules_against(const std::vector<FieldDifference>& differences) {
  std::set<std::string> rules;
  for (const auto& difference : differences) {
    const auto rule = rule_against(difference);
    if (!rule) return std::nullopt;
    rules.insert(*rule);
    if (rules.size() > suggested_rules_max) return std::nullopt;
  }
  if (rules.empty()) return std::nullopt;
  std::string text;
  for (const auto& rule : rules) text += (text.empty() ? "" : ", ") + rule;
  return text;
}

}  // namespace

std::string suggestion_for(const MissReport& report) {
  static const std::string record_it = "record it: `tapedeck auto` adds to the cassette what is missing";
  switch (report.reason) {
    case MissReason::not_intercepted:
      return "name the host with --host";
    case MissReason::exhausted:
      return "let the recordings repeat with --sequence sticky or --sequence cycle, or " + record_it;
    case MissReason::differs:
      break;
    default:
      return record_it;
  }
  const auto rules = report.nearest.empty() ? std::nullopt : rules_against(report.nearest.front().differences);
  if (!rules) return record_it;
  return R"(to let the nearest recording answer, add to the profile "matching": [)" + *rules + "]; or " + record_it;
}

}  // namespace tapedeck
