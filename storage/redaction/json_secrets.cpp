#include "storage/redaction/json_secrets.hpp"

#include <algorithm>

#include "storage/redaction/encoded_text.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t piece_bytes = 16 * 1024;
constexpr std::string_view between_documents = " \t\r\n\x1e";  // RFC 7464 puts a record separator before each
constexpr unsigned nested_levels_max = 4;

bool may_be_url(std::string_view value) {
  return value.starts_with("http") || value.starts_with('/') || value.starts_with("\\/");
}

// `{` or `[`, and a key or string in quotes that are escaped here.
bool may_be_json(std::string_view value) {
  const auto first = std::min(value.find_first_not_of(" \t\\nr"), value.size());
  return first < value.size() && (value[first] == '{' || value[first] == '[') &&
         value.find('\\') != std::string_view::npos;
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view skipped) {
  return std::min(text.find_first_not_of(skipped, at), text.size());
}

}  // namespace

std::size_t JsonFinder::find(std::string_view window, bool last, TextEdits& edits) {
  if (loose_ || pairs_) return find_behind(window, last, edits);
  window_ = window;
  auto at = in_window(read_);
  while (true) {
    if (!in_document_) {
      at = skip(window_, at, between_documents);
      if (at == window_.size()) break;
      document_ = base_ + at;
      document_is_string_ = window_[at] == '"';
      tokenizer_ = JsonTokenizer(JsonTokenizer::Strings::any_bytes);
      in_document_ = true;
    }
    if (!read_document(at)) return fall_back(at, last, edits);
    if (at == window_.size()) break;
  }
  read_ = base_ + at;
  if (last) {
    const auto unfinished = tokenizer_.unfinished_string();
    if (in_document_ && unfinished && unfinished->kind == JsonToken::Kind::string) {
      take_string(in_window(document_ + unfinished->begin) + 1, window_.size());
    }
    close_document();
    return settle(window_.size(), edits);
  }
  if (passing_ == Passing::secret && at > 0) {
    held_.all().push_back({0, at, passing_rule_, Written::nothing});
  }
  if (window_.size() - settled_before(at) > held_bytes_max) force();
  return settle(settled_before(at), edits);
}

// Reads on from `at` to the end of the document or of the window. False when the grammar broke in it.
bool JsonFinder::read_document(std::size_t& at) {
  while (at < window_.size()) {
    tokens_.clear();
    const bool broken = tokenizer_.feed(window_.substr(at, piece_bytes), tokens_) == JsonTokenizer::State::invalid;
    for (const auto& token : tokens_) take(token);
    at = in_window(document_ + tokenizer_.offset());
    if (!broken) continue;
    if (!tokenizer_.whole() || base_ + at == document_) return false;
    close_document();
    lone_string_.reset();
    if (document_is_string_) lone_string_ = document_;
    in_document_ = false;
    return true;
  }
  return true;
}

void JsonFinder::take(const JsonToken& token) {
  switch (token.kind) {
    case JsonToken::Kind::key:
      return take_key(token);
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
    case JsonToken::Kind::string:
      // The strings of a secret key are told by it, so it is the key that must be seen again.
      if (rule_of_value() == nullptr) restart_ = std::max(restart_, document_ + token.begin);
      take_string(in_window(document_ + token.begin + 1), in_window(document_ + token.end - 1));
      break;
    default:
      break;
  }
  key_rule_ = nullptr;
}

void JsonFinder::take_key(const JsonToken& token) {
  restart_ = document_ + token.begin;
  key_rule_ = nullptr;
  if (passing_ != Passing::nothing) {  // a key too long to be held is none of ours
    passing_ = Passing::nothing;
    return;
  }
  const auto begin = in_window(restart_) + 1;
  const auto end = in_window(document_ + token.end - 1);
  key_rule_ = scope_.find(SecretPlace::json, KeyText::of_json(window_.substr(begin, end - begin)));
}

void JsonFinder::take_string(std::size_t begin, std::size_t end) {
  if (passing_ != Passing::nothing) {
    if (passing_ == Passing::secret) held_.all().push_back({0, end, passing_rule_, Written::nothing});
    passing_ = Passing::nothing;
    return;
  }
  const auto value = window_.substr(begin, end - begin);
  const auto* rule = rule_of_value();
  if (rule == nullptr) return look_inside(begin, end);
  switch (rule->effect) {
    case SecretEffect::names_grant:
      if (depth_ == 0) break;
      if (value == "authorization_code") frames_[depth_ - 1].code_grant = true;
      if (value == "password") frames_[depth_ - 1].password_grant = true;
      break;
    case SecretEffect::replace:
      add_edit(held_.all(), scope_, *rule, value, begin, end);
      break;
    default: {
      TextEdits edits;
      if (add_edit(edits, scope_, *rule, value, begin, end)) waiting_.push_back({depth_, edits.front()});
    }
  }
}

void JsonFinder::look_inside(std::size_t begin, std::size_t end) {
  const auto value = window_.substr(begin, end - begin);
  const auto first = held_.all().size();
  if (may_be_url(value)) {
    find_url_secrets(value, 0, value.size(), {scope_, SecretPlace::query, false, true}, held_.all());
    shift(held_.all(), first, begin);
  } else if (may_be_json(value)) {
    if (level_ < nested_levels_max) find_nested_json(begin, end);
  } else if (looks_like_form(value)) {
    find_pair_secrets(value, 0, value.size(), {scope_, SecretPlace::form, false, true}, held_.all());
    shift(held_.all(), first, begin);
  }
}

// Placeholders hold nothing that a string would have to escape, so edits of the inner text are those of the outer one.
void JsonFinder::find_nested_json(std::size_t begin, std::size_t end) {
  UnescapedText inner;
  unescape_json(window_.substr(begin, end - begin), inner);
  TextEdits edits;
  JsonFinder(scope_, Behind::loose, level_ + 1).find(inner.text, true, edits);
  for (auto edit : edits) {
    edit.begin = begin + inner.place_of(edit.begin);
    edit.end = begin + inner.place_of(edit.end);
    held_.all().push_back(edit);
  }
}

const SecretRule* JsonFinder::rule_of_value() const {
  if (key_rule_ != nullptr || depth_ == 0) return key_rule_;
  return frames_[depth_ - 1].rule;
}

void JsonFinder::pop() {
  const auto& frame = frames_[--depth_];
  while (!waiting_.empty() && waiting_.back().depth > depth_) {
    const bool code = waiting_.back().edit.rule->effect == SecretEffect::replace_in_code_grant;
    if (code ? frame.code_grant : frame.password_grant) held_.all().push_back(waiting_.back().edit);
    waiting_.pop_back();
  }
}

void JsonFinder::close_document() {
  while (depth_ > 0) pop();
  waiting_.clear();
  key_rule_ = nullptr;
}

std::size_t JsonFinder::find_behind(std::string_view window, bool last, TextEdits& edits) {
  auto settled = pairs_ ? pairs_->find(window, last, edits) : loose_->find(window, last, edits);
  // What JSON knew of a place stays known, and is not torn apart.
  for (const auto& edit : held_.all()) {
    if (edit.begin < settled && edit.end > settled) settled = edit.begin;
  }
  held_.settle(settled, edits);
  return settled;
}

// The grammar may have broken between a secret's key and its value, or what seemed a string was a key.
std::size_t JsonFinder::fall_back(std::size_t at, bool last, TextEdits& edits) {
  auto again = std::max(document_, restart_);
  if (lone_string_ && window_[at] == ':') again = *lone_string_;
  if (passing_ == Passing::secret) take_string(0, at);
  close_document();
  const auto from = in_window(again);
  if (behind_ == Behind::form) {
    pairs_.emplace(PairScan{scope_, SecretPlace::form, false, false});
  } else {
    loose_.emplace(scope_);
  }
  held_.settle(from, edits);
  const auto known = edits.size();
  const auto settled = find_behind(window_.substr(from), last, edits);
  shift(edits, known, from);
  return from + settled;
}

// What cannot be decided yet is the string or key that is open, the key whose value is, and what waits for its grant.
std::size_t JsonFinder::settled_before(std::size_t at) const {
  auto settled = at;
  const auto hold = [&](std::uint64_t place) { settled = std::min(settled, in_window(place)); };
  const auto unfinished = tokenizer_.unfinished_string();
  if (in_document_ && unfinished && passing_ == Passing::nothing) hold(document_ + unfinished->begin);
  if (in_document_ && restart_ >= std::max(base_, document_)) hold(restart_);
  if (!waiting_.empty()) settled = std::min(settled, waiting_.front().edit.begin);
  if (in_document_ && document_is_string_ && tokenizer_.whole()) hold(document_);
  if (lone_string_ && !in_document_) hold(*lone_string_);
  return settled;
}

// Too much is held: what waits is decided by what was seen so far, and the open string goes by as it comes.
void JsonFinder::force() {
  for (const auto& waiting : waiting_) {
    const auto& frame = frames_[waiting.depth - 1];
    const bool code = waiting.edit.rule->effect == SecretEffect::replace_in_code_grant;
    if (code ? frame.code_grant : frame.password_grant) held_.all().push_back(waiting.edit);
  }
  waiting_.clear();
  lone_string_.reset();
  restart_ = base_ + window_.size();
  document_is_string_ = false;
  const auto unfinished = tokenizer_.unfinished_string();
  if (!in_document_ || !unfinished || passing_ != Passing::nothing) return;
  const auto begin = in_window(document_ + unfinished->begin);
  if (window_.size() - begin <= held_bytes_max) return;
  passing_rule_ = unfinished->kind == JsonToken::Kind::string ? rule_of_value() : nullptr;
  const bool secret = passing_rule_ != nullptr && passing_rule_->effect == SecretEffect::replace;
  passing_ = secret ? Passing::secret : Passing::harmless;
  if (secret) held_.all().push_back({begin + 1, window_.size(), passing_rule_, Written::plain});
}

std::size_t JsonFinder::settle(std::size_t settled, TextEdits& edits) {
  held_.settle(settled, edits);
  for (auto& waiting : waiting_) {
    waiting.edit.begin -= settled;
    waiting.edit.end -= settled;
  }
  base_ += settled;
  return settled;
}

void find_json_secrets(std::string_view text, const RuleScope& scope, TextEdits& edits) {
  JsonFinder(scope).find(text, true, edits);
}

}  // namespace tapedeck
