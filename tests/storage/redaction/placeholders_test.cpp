#include "storage/redaction/placeholders.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("a placeholder of each shape is told from everything else") {
  for (const std::string name : {"a", "ab", "abc", "client-secret", "access-token", "x0-9"}) {
    CAPTURE(name);
    for (const auto shape : {PlaceholderShape::tagged, PlaceholderShape::uuid, PlaceholderShape::jwt}) {
      CAPTURE(static_cast<int>(shape));
      const auto text = placeholder(shape, name);
      for (const auto asked : {PlaceholderShape::tagged, PlaceholderShape::uuid, PlaceholderShape::jwt}) {
        CHECK(is_placeholder(asked, text) == (asked == shape));
        CHECK_FALSE(is_placeholder(asked, text + "x"));
        CHECK_FALSE(is_placeholder(asked, "x" + text));
      }
    }
    CHECK(placeholder(PlaceholderShape::uuid, name) != placeholder(PlaceholderShape::uuid, name + "x"));
  }
}

TEST_CASE("shapes are fixed: cassettes hold them") {
  CHECK(placeholder(PlaceholderShape::tagged, "access-token") == "{{tapedeck:access-token}}");
  CHECK(placeholder(PlaceholderShape::uuid, "access-token") == "7a9ede00-0000-4000-8000-09a945df0267");
  CHECK(placeholder(PlaceholderShape::jwt, "jwt") ==
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInRhcGVkZWNrIjoiand0In0."
        "dGFwZWRlY2sgcGxhY2Vob2xkZXIsIG5vdCBzaWduZWQ");
}

TEST_CASE("what only resembles a placeholder") {
  const std::string rows[] = {"",
                              "{{tapedeck:}}",
                              "{{tapedeck:a}",
                              "{tapedeck:a}}",
                              "{{tapedeck:A}}",
                              "{{tapedeck:a b}}",
                              "{{tapedeck:a}}{{tapedeck:b}}",
                              "{{tapedeck:s3cr3t_x}}",
                              "7a9ede00-0000-4000-8000-00000000000g",
                              "7a9ede00-0000-4000-8001-000000000000",
                              "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln"};
  for (const auto& row : rows) {
    CAPTURE(row);
    for (const auto shape : {PlaceholderShape::tagged, PlaceholderShape::uuid, PlaceholderShape::jwt}) {
      CHECK_FALSE(is_placeholder(shape, row));
    }
  }
  CHECK_FALSE(is_placeholder(PlaceholderShape::tagged, "{{tapedeck:" + std::string(65, 'a') + "}}"));
  CHECK(is_placeholder(PlaceholderShape::uuid, "7A9EDE00-0000-4000-8000-ABCDEF012345"));
}

TEST_CASE("percent coding") {
  CHECK(percent_encode("{{tapedeck:a-b}}") == "%7B%7Btapedeck%3Aa-b%7D%7D");
  CHECK(percent_encode("å ~._-") == "%C3%A5%20~._-");
  CHECK(percent_decode("%7b%7Btapedeck%3Aa-b%7D%7d") == "{{tapedeck:a-b}}");
  CHECK(percent_decode("a+b%2") == "a b%2");
  CHECK(percent_decode("%zz%") == "%zz%");
}
