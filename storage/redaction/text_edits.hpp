#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/redaction/redacted_exchange.hpp"
#include "storage/redaction/rules.hpp"

namespace tapedeck {

// One secret in a text: the bytes from `begin` to `end` become the placeholder of `rule`, percent-coded where a URL or
// a form asks for it. The rule is the table's and lives as long.
struct TextEdit {
  std::size_t begin = 0;
  std::size_t end = 0;
  const SecretRule* rule = nullptr;
  bool percent_coded = false;
};

// An empty list costs nothing, so looking through a text without secrets does not allocate.
using TextEdits = std::vector<TextEdit>;

// The text with its edits made; every other byte is the same. Sorts `edits` and drops those that overlap an earlier
// one.
std::string edited(std::string_view text, TextEdits& edits);

// Which rules fired how often.
class Tally {
 public:
  void add(std::string_view rule);
  void add(const TextEdits& edits);
  std::vector<RedactionCount> take() { return std::move(counts_); }

 private:
  std::vector<RedactionCount> counts_;
};

}  // namespace tapedeck
