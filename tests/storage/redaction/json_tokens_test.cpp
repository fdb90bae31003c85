#include "storage/redaction/json_tokens.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

// One letter a token, and the raw text of what is not punctuation: `{k"a" n1 }`.
std::string shown(std::string_view text, const std::vector<JsonToken>& tokens) {
  std::string line;
  for (const auto& token : tokens) {
    const auto raw = std::string(text.substr(token.begin, token.end - token.begin));
    switch (token.kind) {
      case JsonToken::Kind::key:
        line += "k" + raw;
        break;
      case JsonToken::Kind::string:
        line += "s" + raw;
        break;
      case JsonToken::Kind::number:
        line += "n" + raw;
        break;
      default:
        line += raw;
        break;
    }
    line += ' ';
  }
  if (!line.empty()) line.pop_back();
  return line;
}

struct Outcome {
  bool good = false;
  std::vector<JsonToken> tokens;
};

Outcome in_pieces(const std::vector<std::string_view>& pieces) {
  Outcome outcome;
  JsonTokenizer tokenizer;
  for (const auto piece : pieces) tokenizer.feed(piece, outcome.tokens);
  outcome.good = tokenizer.finish(outcome.tokens) == JsonTokenizer::State::complete;
  return outcome;
}

// Whole, byte by byte, and split at each point: the way the bytes come must not matter.
Outcome every_way(std::string_view text) {
  const auto whole = in_pieces({text});
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  const auto single = in_pieces(bytes);
  CHECK(single.good == whole.good);
  CHECK(single.tokens == whole.tokens);
  for (std::size_t i = 0; i <= text.size(); ++i) {
    CAPTURE(i);
    const auto split = in_pieces({text.substr(0, i), text.substr(i)});
    CHECK(split.good == whole.good);
    CHECK(split.tokens == whole.tokens);
  }
  return whole;
}

}  // namespace

TEST_CASE("texts that are JSON, and their tokens") {
  struct Row {
    std::string text;
    std::string tokens;
  };
  const Row rows[] = {
      {"{}", "{ }"},
      {"[]", "[ ]"},
      {" [ ] ", "[ ]"},
      {"{\"a\":1}", "{ k\"a\" n1 }"},
      {"{ \"a\" : [ 1 , { \"b\" : null } ] , \"c\" : true }", "{ k\"a\" [ n1 { k\"b\" null } ] k\"c\" true }"},
      {"[true,false,null]", "[ true false null ]"},
      {"null", "null"},
      {"\"\"", "s\"\""},
      {"0", "n0"},
      {" -0.5e+10 ", "n-0.5e+10"},
      {"[0,-0,1E5,1e-5,1.25,10]", "[ n0 n-0 n1E5 n1e-5 n1.25 n10 ]"},
      {"12345678901234567890123456789", "n12345678901234567890123456789"},
      {"[1.10000000000000000000000001]", "[ n1.10000000000000000000000001 ]"},
      {R"(["\"\\\/\b\f\n\r\t\u00e5\uD83D\ude00"])", R"([ s"\"\\\/\b\f\n\r\t\u00e5\uD83D\ude00" ])"},
      {R"({"a\"b":"c"})", R"({ k"a\"b" s"c" })"},
      {R"({"\u0063ode":""})", R"({ k"\u0063ode" s"" })"},
      {R"(["\ud800"])", R"([ s"\ud800" ])"},
      {"[\"åäö €\"]", "[ s\"åäö €\" ]"},
      {"[\"\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\"]",
       "[ s\"\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF\xED\x9F\xBF\" ]"},
      {"[\"\x7f\"]", "[ s\"\x7f\" ]"},
      {"{\"a\":1,\"a\":2}", "{ k\"a\" n1 k\"a\" n2 }"},
      {"\r\n\t[[[]],{}]\n", "[ [ [ ] ] { } ]"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto outcome = every_way(row.text);
    CHECK(outcome.good);
    CHECK(shown(row.text, outcome.tokens) == row.tokens);
  }
}

TEST_CASE("texts that are not JSON") {
  using namespace std::string_view_literals;
  const std::string_view rows[] = {
      ""sv,
      " "sv,
      "{"sv,
      "["sv,
      "}"sv,
      "]"sv,
      "[}"sv,
      "{]"sv,
      "[1,]"sv,
      "[,1]"sv,
      "{,}"sv,
      "{\"a\":1,}"sv,
      "{\"a\"}"sv,
      "{\"a\":}"sv,
      "{\"a\" 1}"sv,
      "{1:2}"sv,
      "{a:1}"sv,
      "{'a':1}"sv,
      "[1 2]"sv,
      "[1]]"sv,
      "1 1"sv,
      "{}{}"sv,
      "nul"sv,
      "nulll"sv,
      "True"sv,
      "[truefalse]"sv,
      "NaN"sv,
      "Infinity"sv,
      "-"sv,
      "+1"sv,
      "01"sv,
      "-01"sv,
      "1."sv,
      ".5"sv,
      "1.e5"sv,
      "1e"sv,
      "1e+"sv,
      "[1e]"sv,
      "[-]"sv,
      "1a"sv,
      "0x10"sv,
      "1_000"sv,
      "\""sv,
      "\"a"sv,
      "[\"a]"sv,
      "\"\n\""sv,
      "\"\t\""sv,
      "\"\0\""sv,
      "[\0]"sv,
      R"("\x")"sv,
      R"("\u12g4")"sv,
      R"("\u12")"sv,
      R"("\)"sv,
      "\xEF\xBB\xBF{}"sv,
      "// a\n1"sv,
      "[1,/**/2]"sv,
      "{\"a\":1 \"b\":2}"sv,
      "{\"a\"::1}"sv,
      "[1:2]"sv,
      ":"sv,
      ","sv,
      "[\"a\" \"b\"]"sv,
      "\v1"sv,
      "\"\x80\""sv,
      "\"\xC0\xAF\""sv,
      "\"\xC1\xBF\""sv,
      "\"\xE0\x9F\xBF\""sv,
      "\"\xED\xA0\x80\""sv,
      "\"\xF0\x8F\xBF\xBF\""sv,
      "\"\xF4\x90\x80\x80\""sv,
      "\"\xF5\x80\x80\x80\""sv,
      "\"\xFF\""sv,
      "\"\xC3\""sv,
      "\"\xC3(\""sv,
      "\"\xE5\xE4\xF6\""sv,
  };
  for (const auto text : rows) {
    INFO("text: ", std::string(text));
    CHECK_FALSE(every_way(text).good);
    std::vector<JsonToken> tokens;
    CHECK_FALSE(tokenize_json(text, tokens));
  }
}

TEST_CASE("depth is limited") {
  std::vector<JsonToken> tokens;
  for (const std::size_t depth : {JsonTokenizer::depth_max, JsonTokenizer::depth_max + 1, std::size_t{100'000}}) {
    CAPTURE(depth);
    const bool allowed = depth <= JsonTokenizer::depth_max;
    CHECK(tokenize_json(std::string(depth, '[') + std::string(depth, ']'), tokens) == allowed);
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":";
    CHECK(tokenize_json(objects + "1" + std::string(depth, '}'), tokens) == allowed);
  }
}

TEST_CASE("a token is handed out as soon as it is whole") {
  JsonTokenizer tokenizer;
  std::vector<JsonToken> tokens;
  CHECK(tokenizer.feed("{\"a\"", tokens) == JsonTokenizer::State::ongoing);
  CHECK(tokens.size() == 2);
  CHECK(tokenizer.feed(":12", tokens) == JsonTokenizer::State::ongoing);
  CHECK(tokens.size() == 2);
  CHECK(tokenizer.feed("3}", tokens) == JsonTokenizer::State::complete);
  CHECK(tokens.size() == 4);
  CHECK(tokens[2] == JsonToken{JsonToken::Kind::number, 5, 8});
  CHECK(tokenizer.feed(" \n", tokens) == JsonTokenizer::State::complete);
  CHECK(tokenizer.feed("x", tokens) == JsonTokenizer::State::invalid);
  CHECK(tokenizer.feed("{}", tokens) == JsonTokenizer::State::invalid);
  CHECK(tokens.size() == 4);
}

TEST_CASE("a top-level number is complete only when the input is over") {
  JsonTokenizer tokenizer;
  std::vector<JsonToken> tokens;
  CHECK(tokenizer.feed("12", tokens) == JsonTokenizer::State::ongoing);
  CHECK(tokens.empty());
  CHECK(tokenizer.finish(tokens) == JsonTokenizer::State::complete);
  CHECK(tokens == std::vector<JsonToken>{{JsonToken::Kind::number, 0, 2}});
}

TEST_CASE("the string that was open where the input ended or became invalid") {
  struct Row {
    std::string text;
    std::optional<JsonToken> unfinished;
  };
  const Row rows[] = {
      {"{\"a\":\"bc", JsonToken{JsonToken::Kind::string, 5, 8}},
      {"{\"a\":\"b\\", JsonToken{JsonToken::Kind::string, 5, 8}},
      {"{\"a\":\"b\\u12", JsonToken{JsonToken::Kind::string, 5, 11}},
      {"{\"a\":\"b\xC3", JsonToken{JsonToken::Kind::string, 5, 8}},
      {"{\"a\":\"b\nc\"}", JsonToken{JsonToken::Kind::string, 5, 7}},
      {"{\"abc", JsonToken{JsonToken::Kind::key, 1, 5}},
      {"{\"a\":\"b\"", std::nullopt},
      {"{\"a\":12", std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    JsonTokenizer tokenizer;
    std::vector<JsonToken> tokens;
    tokenizer.feed(row.text, tokens);
    CHECK(tokenizer.finish(tokens) == JsonTokenizer::State::invalid);
    CHECK(tokenizer.unfinished_string() == row.unfinished);
  }
}

TEST_CASE("escapes undone") {
  struct Row {
    std::string quoted;
    std::string plain;
  };
  const Row rows[] = {
      {R"("")", ""},
      {R"("abc")", "abc"},
      {R"("\u0063lient\u005fsecret")", "client_secret"},
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u00E5\u00e4ö")", "åäö"},
      {R"("\u20ac")", "€"},
      {R"("\uD83D\uDE00")", "\xF0\x9F\x98\x80"},
      {R"("\uDBFF\uDFFF")", "\xF4\x8F\xBF\xBF"},
      {R"("a\ud800b")",
       "a\xEF\xBF\xBD"
       "b"},
      {R"("\ude00\ud83d")", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {R"("\ud83d\u0041")",
       "\xEF\xBF\xBD"
       "A"},
      {R"("\\u0041")", "\\u0041"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.quoted);
    CHECK(unescape_json_string(row.quoted) == row.plain);
  }
  CHECK(unescape_json_string(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("with any bytes, only a quote ends a string") {
  const std::string text = "{\"a\":\"b\xE5\n\\q\\u1\\\"c\",\"\x80\":\"\xC3\"}";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    CAPTURE(i);
    JsonTokenizer tokenizer(JsonTokenizer::Strings::any_bytes);
    std::vector<JsonToken> tokens;
    tokenizer.feed(text.substr(0, i), tokens);
    tokenizer.feed(text.substr(i), tokens);
    CHECK(tokenizer.finish(tokens) == JsonTokenizer::State::complete);
    CHECK(shown(text, tokens) == "{ k\"a\" s\"b\xE5\n\\q\\u1\\\"c\" k\"\x80\" s\"\xC3\" }");
  }
}
