// A text gives the same tokens however it is cut into pieces, in order and within the text.

#include "storage/redaction/json_tokens.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

using namespace tapedeck;

bool tokenize_in_pieces(std::string_view text, std::size_t piece_bytes_max, std::vector<JsonToken>& tokens) {
  JsonTokenizer tokenizer;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes_max) {
    if (tokenizer.feed(text.substr(at, piece_bytes_max), tokens) == JsonTokenizer::State::invalid) return false;
  }
  return tokenizer.finish(tokens) == JsonTokenizer::State::complete;
}

bool is_string(const JsonToken& token) {
  return token.kind == JsonToken::Kind::key || token.kind == JsonToken::Kind::string;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::size_t piece_bytes_max = 1 + input.below(17);
  const std::string_view text = input.rest();
  std::vector<JsonToken> whole;
  std::vector<JsonToken> in_pieces;
  const bool is_json = tokenize_json(text, whole);
  TAPEDECK_CHECK(is_json == tokenize_in_pieces(text, piece_bytes_max, in_pieces));
  TAPEDECK_CHECK(whole == in_pieces);
  std::uint64_t at = 0;
  for (const JsonToken& token : whole) {
    TAPEDECK_CHECK(token.begin >= at && token.end > token.begin && token.end <= text.size());
    at = token.end;
    if (!is_string(token)) continue;
    const std::string_view quoted = text.substr(token.begin, token.end - token.begin);
    TAPEDECK_CHECK(quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"');
    TAPEDECK_CHECK(unescape_json_string(quoted).size() <= quoted.size());
  }
  return 0;
}
