#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// One lexical piece of a JSON text (RFC 8259) with its place in the input. Numbers keep their raw text: nothing is
// rounded. For strings the range includes the quotes. `key` is a string before a colon.
struct JsonToken {
  enum class Kind { object_begin, object_end, array_begin, array_end, key, string, number, true_, false_, null };
  Kind kind;
  std::uint64_t begin;  // byte offset of the first byte
  std::uint64_t end;    // one behind the last byte
};

// A resumable tokenizer that checks the grammar as it goes: feed it pieces of any size; each token is handed out when
// it is whole. Depth is limited. A byte order mark is refused. Serves redaction (offsets) and canonical JSON (raw text).
class JsonTokenizer {
 public:
  static constexpr std::size_t depth_max = 256;

  enum class State { ongoing, complete, invalid };

  // Appends to `tokens` what `piece` completes. Offsets count from the first byte ever fed.
  State feed(std::string_view piece, std::vector<JsonToken>& tokens);
  // The input is over; a top-level number ends here.
  State finish(std::vector<JsonToken>& tokens);

 private:
  // (members are the implementer's)
};

// All tokens of a whole text, or false when it is not JSON.
bool tokenize_json(std::string_view text, std::vector<JsonToken>& tokens);

// The text of a JSON string token (with its quotes), with escapes undone, as UTF-8. Lone surrogates become U+FFFD.
std::string unescape_json_string(std::string_view quoted);

}  // namespace tapedeck
