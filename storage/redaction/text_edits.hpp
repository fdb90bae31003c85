#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/redaction/redacted_exchange.hpp"
#include "storage/redaction/rules.hpp"

namespace tapedeck {

// How a placeholder is written: percent-coded where a URL or a form asks for it, as a JWT where one stood. `nothing` is
// the rest of a secret whose placeholder is already written.
enum class Written : std::uint8_t { plain, percent_coded, jwt, nothing };

// One secret in a text: the bytes from `begin` to `end` become the placeholder of `rule`. The rule lives as long as the
// table or the set of known secrets it is from.
struct TextEdit {
  std::size_t begin = 0;
  std::size_t end = 0;
  const SecretRule* rule = nullptr;
  Written written = Written::plain;
};

// An empty list costs nothing, so looking through a text without secrets does not allocate.
using TextEdits = std::vector<TextEdit>;

// Adds the edit that replaces `value`, as it stands decoded from `begin` to `end`, unless the rule lets it stay. False
// when it stays.
bool add_edit(TextEdits& edits, const RuleScope& scope, const SecretRule& rule, std::string_view value,
              std::size_t begin, std::size_t end, Written written = Written::plain);
bool keeps(const RuleScope& scope, const SecretRule& rule, std::string_view value);

// Moves the edits from number `first` on.
void shift(TextEdits& edits, std::size_t first, std::size_t by);

// The text with its edits made; every other byte is the same. Sorts `edits` and drops those that overlap an earlier
// one.
std::string edited(std::string_view text, TextEdits& edits);

// As much of a secret is remembered.
constexpr std::size_t found_value_bytes_max = 16 * 1024;

// A secret as it stood in its slot, still in that slot's coding.
struct FoundSecret {
  std::string value;
  const SecretRule* rule = nullptr;
  bool percent_coded = false;
};

// Which rules fired how often, and on what.
class Tally {
 public:
  void add(std::string_view rule, std::uint64_t times = 1);
  void add(const TextEdits& edits);
  void found(std::string_view text, const TextEdits& edits);
  std::vector<RedactionCount> take() { return std::move(counts_); }
  std::vector<FoundSecret> take_found() { return std::move(found_); }

 private:
  std::vector<RedactionCount> counts_;
  std::vector<FoundSecret> found_;
};

}  // namespace tapedeck
