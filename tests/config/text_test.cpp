#include "config/text.hpp"

#include <array>

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("text of unknown origin cannot steer a terminal") {
  struct Row {
    const char* name;
    std::string_view text;
    const char* shown;
  };
  const Row rows[] = {
      {"plain", "a b", "a b"},
      {"UTF-8 of two, three and four bytes", "å€😀", "å€😀"},
      {"escape", "\x1b[31m", "\\x1b[31m"},
      {"line breaks", "a\r\n\tb", "a\\x0d\\x0a\\x09b"},
      {"zero", std::string_view("a\0b", 3), "a\\x00b"},
      {"delete", "\x7f", "\\x7f"},
      {"C1 control",
       "\xc2\x9b"
       "31m",
       "\\u009b31m"},
      {"a lone continuation", "\x9b", "\\x9b"},
      {"cut short", "\xe2\x82", "\\xe2\\x82"},
      {"overlong", "\xc0\x9b", "\\xc0\\x9b"},
      {"overlong of three", "\xe0\x82\x9b", "\\xe0\\x82\\x9b"},
      {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
      {"beyond Unicode", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"right-to-left override",
       "a\xe2\x80\xae"
       "b",
       "a\\u202eb"},
      {"isolate", "\xe2\x81\xa6", "\\u2066"},
      {"line separator", "\xe2\x80\xa8", "\\u2028"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(printable(row.text) == row.shown);
  }
  CHECK(printable("a\n\tb\r", LineBreaks::keep) == "a\n\tb\\x0d");
}

TEST_CASE("what a refusal quotes is cut, and never within a letter") {
  CHECK(in_quotes("a\n") == "\"a\\x0a\"");
  CHECK(in_quotes(std::string(80, 'a')) == '"' + std::string(80, 'a') + '"');
  CHECK(in_quotes(std::string(81, 'a')) == '"' + std::string(80, 'a') + "…\"");
  CHECK(in_quotes(std::string(79, 'a') + "åå") == '"' + std::string(79, 'a') + "…\"");
}

TEST_CASE("a URL is quoted without what can be secret") {
  CHECK(url_in_quotes("https://x.io/a") == "\"https://x.io/a\"");
  CHECK(url_in_quotes("https://u:p@x.io/a?k=v#f") == "\"https://…@x.io/a?…\"");
  CHECK(url_in_quotes("u:p@q@x.io") == "\"…@x.io\"");
}

TEST_CASE("the nearest word is the one that was meant, or none") {
  constexpr std::array<std::string_view, 4> words{"cassette", "listen", "list", "record"};
  CHECK(nearest_word("casette", words) == "cassette");
  CHECK(nearest_word("recrod", words) == "record");
  CHECK(nearest_word("LISTEN", words) == "listen");
  CHECK(nearest_word("lst", words) == "list");
  CHECK(!nearest_word("banana", words).has_value());
  CHECK(!nearest_word("", words).has_value());
  CHECK(!nearest_word(std::string(1000, 'a'), words).has_value());
}

TEST_CASE("words are listed as in a sentence") {
  CHECK(joined_list({}).empty());
  CHECK(joined_list(std::array<std::string_view, 1>{"a"}) == "a");
  CHECK(joined_list(std::array<std::string_view, 3>{"a", "b", "c"}) == "a, b and c");
}
