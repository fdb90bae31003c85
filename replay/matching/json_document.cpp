#include "replay/matching/json_document.hpp"

#include <algorithm>
#include <cassert>

namespace tapedeck {

std::optional<JsonDocument> JsonDocument::parse(std::string_view text) {
  JsonDocument document;
  document.text_ = text;
  if (!tokenize_json(text, document.tokens_)) return std::nullopt;
  assert(!document.tokens_.empty());
  document.closing_.resize(document.tokens_.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < document.tokens_.size(); ++i) {
    document.closing_[i] = i;
    switch (document.tokens_[i].kind) {
      case JsonToken::Kind::object_begin:
      case JsonToken::Kind::array_begin:
        open.push_back(i);
        break;
      case JsonToken::Kind::object_end:
      case JsonToken::Kind::array_end:
        assert(!open.empty());
        document.closing_[open.back()] = i;
        open.pop_back();
        break;
      default:
        break;
    }
  }
  assert(open.empty());
  return document;
}

std::string_view JsonDocument::text(std::size_t node) const {
  return text_.substr(tokens_[node].begin, tokens_[closing_[node]].end - tokens_[node].begin);
}

std::vector<JsonDocument::Member> JsonDocument::members(std::size_t node) const {
  assert(kind(node) == JsonToken::Kind::object_begin);
  std::vector<Member> members;
  for (auto at = node + 1; at < closing_[node]; at = behind(at + 1)) {
    members.push_back({unescape_json_string(text(at)), at + 1});
  }
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.key < b.key; });
  return members;
}

std::vector<std::size_t> JsonDocument::elements(std::size_t node) const {
  assert(kind(node) == JsonToken::Kind::array_begin);
  std::vector<std::size_t> elements;
  for (auto at = node + 1; at < closing_[node]; at = behind(at)) elements.push_back(at);
  return elements;
}

}  // namespace tapedeck
