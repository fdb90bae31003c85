#pragma once

#include <string_view>

#include "storage/redaction/finding.hpp"

namespace tapedeck {

// Finds `"key": "value"`, `"key": ["value", …]`, `key="value"` and `<key>value</key>` in whatever text stands around:
// broken JSON, scripts in a page, XML, logs.
class LooseFinder {
 public:
  explicit LooseFinder(const RuleScope& scope) : scope_(scope) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  // What was read at one place: where to go on, or that more must be there to tell. Then everything from `hold` on is
  // kept. `open` is the rule of a secret that goes on behind the window.
  struct Step {
    std::size_t next = 0;
    bool unfinished = false;
    std::size_t hold = 0;
    const SecretRule* open = nullptr;
  };

  Step at_quote(std::size_t at, TextEdits& edits) const;
  Step at_key(std::size_t at, std::size_t close, TextEdits& edits) const;
  Step attribute(std::size_t at, const SecretRule& rule, TextEdits& edits) const;
  Step at_element(std::size_t at, TextEdits& edits) const;
  Step value_of_key(std::size_t at, const SecretRule& rule, TextEdits& edits) const;
  const SecretRule* rule_of(std::string_view key) const;
  std::string_view attribute_name(std::size_t quote) const;
  std::size_t end_of_secret(std::size_t at, char end) const;

  RuleScope scope_;
  std::string_view text_;  // the window
  const SecretRule* long_secret_ = nullptr;
  char long_secret_end_ = '"';  // or `<` of an element
};

// In `text` from `begin` on; offsets are those of `text`.
void find_loose_secrets(std::string_view text, std::size_t begin, const RuleScope& scope, TextEdits& edits);

}  // namespace tapedeck
