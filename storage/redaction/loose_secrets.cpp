#include "storage/redaction/loose_secrets.hpp"

#include <algorithm>

#include "storage/redaction/byte_search.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t raw_key_bytes_max = 160;
constexpr std::size_t attribute_name_bytes_max = 64;
constexpr std::size_t tag_bytes_max = 1024;
constexpr std::string_view spaces = " \t\r\n";

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view skipped) {
  return std::min(text.find_first_not_of(skipped, at), text.size());
}

// Where a key or an element may begin.
std::size_t next_place(std::string_view text, std::size_t at) {
  return find_byte<'"', '<'>(text, at);
}

// XML names carry a namespace in front.
std::string_view local_name(std::string_view name) {
  return name.substr(name.rfind(':') == std::string_view::npos ? 0 : name.rfind(':') + 1);
}

}  // namespace

std::size_t LooseFinder::find(std::string_view window, bool last, TextEdits& edits) {
  text_ = window;
  std::size_t at = 0;
  if (long_secret_ != nullptr) {
    at = end_of_secret(0, long_secret_end_);
    if (at > 0) edits.push_back({0, at, long_secret_, Written::nothing});
    if (at == text_.size()) return at;
    long_secret_ = nullptr;
  }
  std::size_t done = at;  // what stands before is not looked at again
  for (at = next_place(text_, at); at < text_.size(); at = next_place(text_, at)) {
    const auto known = edits.size();
    const auto step = text_[at] == '<' ? at_element(at, edits) : at_quote(at, edits);
    if (step.unfinished && !last) {
      const auto hold = std::max(done, step.hold);
      if (text_.size() - hold > held_bytes_max) {
        long_secret_ = step.open;
        long_secret_end_ = text_[at];
        return text_.size();
      }
      edits.resize(known);
      return hold;
    }
    at = step.next;
    if (edits.size() > known) done = at;
  }
  if (last) return text_.size();
  // The name of an attribute is read backwards from its value.
  return std::max(done, text_.size() - std::min(text_.size(), attribute_name_bytes_max));
}

const SecretRule* LooseFinder::rule_of(std::string_view key) const {
  const auto* rule = scope_.find(SecretPlace::json, KeyText::of_json(key));
  return rule == nullptr || rule->effect != SecretEffect::replace ? nullptr : rule;
}

// Every quote may open a key, also one that seems to close a string: what came before cannot be trusted.
LooseFinder::Step LooseFinder::at_quote(std::size_t at, TextEdits& edits) const {
  if (at > 0 && text_[at - 1] == '=') {
    const auto* rule = rule_of(local_name(attribute_name(at)));
    if (rule != nullptr) return attribute(at, *rule, edits);
  }
  const auto key_at = at + 1;
  const auto close = text_.substr(0, key_at + raw_key_bytes_max).find('"', key_at);
  if (close != std::string_view::npos) return at_key(key_at, close, edits);
  return {key_at, text_.size() - key_at < raw_key_bytes_max, at};
}

LooseFinder::Step LooseFinder::at_key(std::size_t key_at, std::size_t close, TextEdits& edits) const {
  const auto colon = skip(text_, close + 1, spaces);
  if (colon == text_.size()) return {key_at, true, key_at - 1};
  if (text_[colon] != ':') return {key_at};
  const auto* rule = rule_of(text_.substr(key_at, close - key_at));
  if (rule == nullptr) return {key_at};
  auto step = value_of_key(skip(text_, colon + 1, spaces), *rule, edits);
  step.next = std::max(step.next, close);
  step.hold = key_at - 1;
  return step;
}

// The strings that are the value at `at`.
LooseFinder::Step LooseFinder::value_of_key(std::size_t at, const SecretRule& rule, TextEdits& edits) const {
  const bool array = at < text_.size() && text_[at] == '[';
  if (array) at = skip(text_, at + 1, spaces);
  while (at < text_.size() && text_[at] == '"') {
    const auto end = end_of_secret(at + 1, '"');
    const bool replaced = add_edit(edits, scope_, rule, text_.substr(at + 1, end - at - 1), at + 1, end);
    if (end == text_.size()) return {end, true, 0, replaced ? &rule : nullptr};
    at = end + 1;
    if (!array) return {at};
    at = skip(text_, at, ", \t\r\n");
  }
  return {at, at == text_.size()};
}

std::string_view LooseFinder::attribute_name(std::size_t quote) const {
  const auto end = quote - 1;
  auto begin = end;
  while (begin > 0 && end - begin < attribute_name_bytes_max && is_name_byte(text_[begin - 1])) --begin;
  return text_.substr(begin, end - begin);
}

LooseFinder::Step LooseFinder::attribute(std::size_t at, const SecretRule& rule, TextEdits& edits) const {
  const auto end = std::min(text_.find('"', at + 1), text_.size());
  const bool replaced = add_edit(edits, scope_, rule, text_.substr(at + 1, end - at - 1), at + 1, end);
  const bool open = end == text_.size();
  return {std::min(end + 1, text_.size()), open, at - std::min(at, attribute_name_bytes_max),
          replaced ? &rule : nullptr};
}

// The text of an element, as far as the next tag.
LooseFinder::Step LooseFinder::at_element(std::size_t at, TextEdits& edits) const {
  auto name_end = at + 1;
  while (name_end < text_.size() && name_end - at <= raw_key_bytes_max && is_name_byte(text_[name_end])) ++name_end;
  const auto name = text_.substr(at + 1, name_end - at - 1);
  if (name_end == text_.size()) return {at + 1, true, at};
  const auto* rule = name.empty() ? nullptr : rule_of(local_name(name));
  if (rule == nullptr) return {at + 1};
  // A `>` in an attribute's value shortens the tag for us, which only makes more of it secret.
  const auto close = text_.substr(0, name_end + tag_bytes_max).find('>', name_end);
  if (close == std::string_view::npos) return {at + 1, text_.size() - name_end < tag_bytes_max, at};
  if (text_[close - 1] == '/') return {close + 1};
  const auto begin = close + 1;
  const auto end = end_of_secret(begin, '<');
  const auto value = text_.substr(begin, end - begin);
  const bool blank = value.find_first_not_of(spaces) == std::string_view::npos;
  const bool replaced = !blank && add_edit(edits, scope_, *rule, value, begin, end);
  return {end, end == text_.size(), at, replaced ? rule : nullptr};
}

std::size_t LooseFinder::end_of_secret(std::size_t at, char end) const {
  while (at < text_.size() && text_[at] != end) at += end == '"' && text_[at] == '\\' ? 2 : 1;
  return std::min(at, text_.size());
}

void find_loose_secrets(std::string_view text, std::size_t begin, const RuleScope& scope, TextEdits& edits) {
  const auto known = edits.size();
  LooseFinder(scope).find(text.substr(begin), true, edits);
  shift(edits, known, begin);
}

}  // namespace tapedeck
