#include "storage/redaction/text_edits.hpp"

#include <algorithm>

#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

std::string_view text_of(const TextEdit& edit) {
  switch (edit.written) {
    case Written::plain:
      return edit.rule->text;
    case Written::percent_coded:
      return edit.rule->percent_text;
    case Written::jwt:
      return edit.rule->jwt_text;
    case Written::nothing:
      break;
  }
  return {};
}

}  // namespace

bool keeps(const RuleScope& scope, const SecretRule& rule, std::string_view value) {
  return rule.keeps(value) || (scope.is_response && is_placeholder(PlaceholderShape::jwt, value));
}

bool add_edit(TextEdits& edits, const RuleScope& scope, const SecretRule& rule, std::string_view value,
              std::size_t begin, std::size_t end, Written written) {
  if (keeps(scope, rule, value)) return false;
  // Of a request the placeholder is a function of the rule alone, since it is part of what is compared.
  const bool jwt = scope.is_response && rule.shape == PlaceholderShape::tagged && looks_like_jwt(value);
  edits.push_back({begin, end, &rule, jwt ? Written::jwt : written});
  return true;
}

void shift(TextEdits& edits, std::size_t first, std::size_t by) {
  for (auto i = first; i < edits.size(); ++i) {
    edits[i].begin += by;
    edits[i].end += by;
  }
}

std::string edited(std::string_view text, TextEdits& edits) {
  std::sort(edits.begin(), edits.end(),
            [](const auto& a, const auto& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
  std::string result;
  result.reserve(text.size());
  std::size_t at = 0;
  std::erase_if(edits, [&](const TextEdit& edit) {
    if (edit.begin < at) {
      // What reaches further than the secret before it is a secret's end all the same.
      at = std::max(at, edit.end);
      return true;
    }
    result.append(text.substr(at, edit.begin - at));
    result.append(text_of(edit));
    at = edit.end;
    return false;
  });
  result.append(text.substr(at));
  return result;
}

void Tally::add(std::string_view rule, std::uint64_t times) {
  const auto same = std::find_if(counts_.begin(), counts_.end(), [&](const auto& count) { return count.rule == rule; });
  if (same != counts_.end()) {
    same->times += times;
  } else {
    counts_.push_back({std::string(rule), times});
  }
}

void Tally::add(const TextEdits& edits) {
  for (const auto& edit : edits) {
    if (edit.written != Written::nothing) add(edit.rule->name);
  }
}

void Tally::found(std::string_view text, const TextEdits& edits) {
  for (const auto& edit : edits) {
    if (edit.written == Written::nothing || found_left_ == 0) continue;
    --found_left_;
    const auto value = text.substr(edit.begin, std::min(edit.end - edit.begin, found_value_bytes_max));
    found_.push_back({std::string(value), edit.rule, edit.written == Written::percent_coded});
  }
}

}  // namespace tapedeck
