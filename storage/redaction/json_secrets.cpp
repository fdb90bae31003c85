#include "storage/redaction/json_secrets.hpp"

#include <algorithm>
#include <array>

#include "storage/redaction/json_tokens.hpp"
#include "storage/redaction/pair_secrets.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t piece_bytes = 16 * 1024;
constexpr std::string_view between_documents = " \t\r\n\x1e";  // RFC 7464 puts a record separator before each

bool may_be_url(std::string_view value) {
  return value.starts_with("http") || value.starts_with('/') || value.starts_with("\\/");
}

// Follows the tokens of one JSON text.
class JsonSecretFinder {
 public:
  JsonSecretFinder(std::string_view text, std::size_t base, const RuleScope& scope, TextEdits& edits)
      : text_(text), base_(base), scope_(scope), edits_(edits) {}

  void take(const JsonToken& token) {
    switch (token.kind) {
      case JsonToken::Kind::object_begin:
        push(nullptr);
        break;
      case JsonToken::Kind::array_begin:
        push(rule_of_value());
        break;
      case JsonToken::Kind::object_end:
      case JsonToken::Kind::array_end:
        pop();
        break;
      case JsonToken::Kind::key:
        last_key_at_ = base_ + token.begin;
        key_rule_ = scope_.find(SecretPlace::json, KeyText::of_json(slice(token.begin + 1, token.end - 1)));
        return;
      case JsonToken::Kind::string:
        string(token.begin + 1, token.end - 1);
        break;
      default:
        break;
    }
    key_rule_ = nullptr;
  }

  // A string that was never closed.
  void take_unfinished(const JsonToken& token) {
    if (token.kind == JsonToken::Kind::string) string(token.begin + 1, token.end);
  }

  void finish() {
    while (depth_ > 0) pop();
  }

  std::size_t last_key_at() const { return last_key_at_; }

 private:
  struct Frame {
    const SecretRule* rule;  // of the strings in an array that is the value of a secret key
    bool code_grant;
    bool password_grant;
  };
  struct Waiting {
    std::size_t depth;
    TextEdit edit;
  };

  std::string_view slice(std::uint64_t begin, std::uint64_t end) const {
    return text_.substr(base_ + begin, end - begin);
  }

  const SecretRule* rule_of_value() const {
    if (key_rule_ != nullptr || depth_ == 0) return key_rule_;
    return frames_[depth_ - 1].rule;
  }

  void push(const SecretRule* rule) { frames_[depth_++] = {rule, false, false}; }

  void pop() {
    const auto& frame = frames_[--depth_];
    while (!waiting_.empty() && waiting_.back().depth > depth_) {
      const bool code = waiting_.back().edit.rule->effect == SecretEffect::replace_in_code_grant;
      if (code ? frame.code_grant : frame.password_grant) edits_.push_back(waiting_.back().edit);
      waiting_.pop_back();
    }
  }

  void string(std::uint64_t begin, std::uint64_t end) {
    const auto value = slice(begin, end);
    const auto* rule = rule_of_value();
    if (rule == nullptr) {
      if (may_be_url(value)) {
        find_url_secrets(text_, base_ + begin, base_ + end, {scope_, SecretPlace::query, false, true}, edits_);
      }
      return;
    }
    const TextEdit edit{base_ + begin, base_ + end, rule, false};
    switch (rule->effect) {
      case SecretEffect::names_grant:
        if (depth_ == 0) break;
        if (value == "authorization_code") frames_[depth_ - 1].code_grant = true;
        if (value == "password") frames_[depth_ - 1].password_grant = true;
        break;
      case SecretEffect::replace:
        if (!rule->keeps(value)) edits_.push_back(edit);
        break;
      default:
        if (!rule->keeps(value)) waiting_.push_back({depth_, edit});
    }
  }

  std::string_view text_;
  std::size_t base_;
  const RuleScope& scope_;
  TextEdits& edits_;
  std::array<Frame, JsonTokenizer::depth_max> frames_;
  std::size_t depth_ = 0;
  const SecretRule* key_rule_ = nullptr;
  std::vector<Waiting> waiting_;
  std::size_t last_key_at_ = 0;
};

struct DocumentEnd {
  std::size_t at = 0;
  bool whole = false;
  bool broken = false;  // else it goes on behind the end of the text
  std::size_t last_key_at = 0;
};

// Reads the JSON text that begins at `begin`.
DocumentEnd read_document(std::string_view text, std::size_t begin, const RuleScope& scope, TextEdits& edits,
                          std::vector<JsonToken>& tokens) {
  JsonTokenizer tokenizer(JsonTokenizer::Strings::any_bytes);
  JsonSecretFinder finder(text, begin, scope, edits);
  bool broken = false;
  for (std::size_t at = begin; at < text.size() && !broken; at += piece_bytes) {
    tokens.clear();
    broken = tokenizer.feed(text.substr(at, piece_bytes), tokens) == JsonTokenizer::State::invalid;
    for (const auto& token : tokens) finder.take(token);
  }
  if (const auto unfinished = tokenizer.unfinished_string()) finder.take_unfinished(*unfinished);
  finder.finish();
  return {begin + tokenizer.offset(), tokenizer.whole(), broken, std::max(begin, finder.last_key_at())};
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view skipped) {
  return std::min(text.find_first_not_of(skipped, at), text.size());
}

// Where the string that begins behind a quote ends: at its closing quote or at the end of the text.
std::size_t string_end(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at, text.size());
}

// The strings that are the value at `at`; gives where they end.
std::size_t loose_value(std::string_view text, std::size_t at, const SecretRule& rule, TextEdits& edits) {
  const bool array = at < text.size() && text[at] == '[';
  if (array) at = skip(text, at + 1, " \t\r\n");
  while (at < text.size() && text[at] == '"') {
    const auto end = string_end(text, at + 1);
    if (!rule.keeps(text.substr(at + 1, end - at - 1))) edits.push_back({at + 1, end, &rule, false});
    at = std::min(end + 1, text.size());
    if (!array) break;
    at = skip(text, at, ", \t\r\n");
  }
  return at;
}

}  // namespace

bool find_json_secrets(std::string_view text, const RuleScope& scope, TextEdits& edits) {
  std::vector<JsonToken> tokens;
  for (auto at = skip(text, 0, between_documents); at < text.size(); at = skip(text, at, between_documents)) {
    const auto end = read_document(text, at, scope, edits, tokens);
    if (!end.broken) return true;
    if (!end.whole || end.at == at) {
      // The grammar may have broken between a secret's key and its value, so the key is looked at again.
      find_loose_json_secrets(text, end.whole ? end.at : end.last_key_at, scope, edits);
      return false;
    }
    at = end.at;
  }
  return true;
}

void find_loose_json_secrets(std::string_view text, std::size_t begin, const RuleScope& scope, TextEdits& edits) {
  // Every quote may open a key, also one that seems to close a string: what came before cannot be trusted.
  constexpr std::size_t raw_key_bytes_max = 160;
  for (auto at = text.find('"', begin); at != std::string_view::npos; at = text.find('"', at)) {
    const auto key_at = at + 1;
    const auto close = text.substr(0, key_at + raw_key_bytes_max).find('"', key_at);
    at = key_at;
    if (close == std::string_view::npos) continue;
    const auto colon = skip(text, close + 1, " \t\r\n");
    if (colon >= text.size() || text[colon] != ':') continue;
    const auto* rule = scope.find(SecretPlace::json, KeyText::of_json(text.substr(key_at, close - key_at)));
    if (rule == nullptr || rule->effect != SecretEffect::replace) continue;
    at = std::max(close, loose_value(text, skip(text, colon + 1, " \t\r\n"), *rule, edits));
  }
}

}  // namespace tapedeck
