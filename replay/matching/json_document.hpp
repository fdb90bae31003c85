#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/redaction/json_tokens.hpp"

namespace tapedeck {

// A JSON text and its tokens, walked as a tree by token index. It costs two flat lists however deep the text is; depth
// is bounded by the tokenizer, so recursion over it is too. The text must outlive it.
class JsonDocument {
 public:
  struct Member {
    std::string key;  // unescaped
    std::size_t value;
  };

  // nullopt when the text is not JSON.
  static std::optional<JsonDocument> parse(std::string_view text);

  static constexpr std::size_t root = 0;
  JsonToken::Kind kind(std::size_t node) const { return tokens_[node].kind; }
  // The raw text of a string (with its quotes), number or literal, or of a whole object or array.
  std::string_view text(std::size_t node) const;
  // Of an object, in the order of their keys; equal keys stay in the order of the text.
  std::vector<Member> members(std::size_t node) const;
  std::vector<std::size_t> elements(std::size_t node) const;

 private:
  std::size_t behind(std::size_t node) const { return closing_[node] + 1; }

  std::string_view text_;
  std::vector<JsonToken> tokens_;
  std::vector<std::size_t> closing_;  // of each token: the index of the token that ends it
};

}  // namespace tapedeck
