#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/redaction/finding.hpp"
#include "storage/redaction/json_tokens.hpp"
#include "storage/redaction/loose_secrets.hpp"
#include "storage/redaction/pair_secrets.hpp"

namespace tapedeck {

// Finds secrets in JSON: one text, several behind each other (newline-delimited too), or the beginning of one; also in
// strings that hold a URL, a form or JSON again. What stands behind a break of the grammar is looked through by a
// LooseFinder, or in what calls itself a form by a PairFinder.
class JsonFinder {
 public:
  enum class Behind { loose, form };

  explicit JsonFinder(const RuleScope& scope, Behind behind = Behind::loose, unsigned level = 0)
      : scope_(scope), behind_(behind), level_(level) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

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

  enum class Passing { nothing, secret, harmless };

  bool read_document(std::size_t& at);
  void take(const JsonToken& token);
  void take_key(const JsonToken& token);
  void take_string(std::size_t begin, std::size_t end);
  void look_inside(std::size_t begin, std::size_t end);
  void find_nested_json(std::size_t begin, std::size_t end);
  const SecretRule* rule_of_value() const;
  void push(const SecretRule* rule) { frames_[depth_++] = {rule, false, false}; }
  void pop();
  void close_document();
  std::size_t find_behind(std::string_view window, bool last, TextEdits& edits);
  std::size_t fall_back(std::size_t at, bool last, TextEdits& edits);
  std::size_t settled_before(std::size_t at) const;
  void force();
  std::size_t settle(std::size_t settled, TextEdits& edits);
  std::size_t in_window(std::uint64_t place) const { return place > base_ ? place - base_ : 0; }

  RuleScope scope_;
  Behind behind_;
  unsigned level_;  // of JSON within strings of JSON
  std::optional<LooseFinder> loose_;
  std::optional<PairFinder> pairs_;

  std::string_view window_;
  std::uint64_t base_ = 0;  // where the window begins; this and what follows count from the first byte ever
  std::uint64_t read_ = 0;
  std::uint64_t document_ = 0;
  std::optional<std::uint64_t> lone_string_;  // the document before this one, when it was a string
  std::uint64_t last_key_ = 0;
  bool key_open_ = false;  // its value is not whole
  bool in_document_ = false;
  bool document_is_string_ = false;
  Passing passing_ = Passing::nothing;  // what is too long to be held
  const SecretRule* passing_rule_ = nullptr;

  JsonTokenizer tokenizer_{JsonTokenizer::Strings::any_bytes};
  std::vector<JsonToken> tokens_;
  std::array<Frame, JsonTokenizer::depth_max> frames_;
  std::size_t depth_ = 0;
  const SecretRule* key_rule_ = nullptr;
  HeldEdits held_;
  std::vector<Waiting> waiting_;
};

// In a whole text.
void find_json_secrets(std::string_view text, const RuleScope& scope, TextEdits& edits);

}  // namespace tapedeck
