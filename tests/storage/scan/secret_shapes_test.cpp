#include "storage/scan/secret_shapes.hpp"

#include <doctest/doctest.h>

#include "storage/redaction/placeholders.hpp"

using namespace tapedeck;

namespace {

// The first find as `rule: value`, or "" when there is none.
std::string first_of(std::string_view text, void (*find)(std::string_view, std::vector<SuspectSpan>&)) {
  std::vector<SuspectSpan> found;
  find(text, found);
  if (found.empty()) return "";
  return found[0].rule + ": " + std::string(text.substr(found[0].begin, found[0].end - found[0].begin));
}

std::string shape_in(std::string_view text) {
  return first_of(text, find_secret_shapes);
}

std::string random_in(std::string_view text) {
  return first_of(text, find_random_strings);
}

}  // namespace

TEST_CASE("values that only secrets look like are found whatever stands around them") {
  struct Row {
    const char* name;
    std::string text;
    const char* found;
  };
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLWl0";
  const std::string tagged = placeholder(PlaceholderShape::tagged, "access-token");
  const Row rows[] = {
      {"JWT in JSON", R"({"note":")" + jwt + R"("})",
       "JSON Web Token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLWl0"},
      {"JWT behind a percent-coded quote", "%22" + jwt + "%22",
       "JSON Web Token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLWl0"},
      {"our own JWT", "Bearer " + placeholder(PlaceholderShape::jwt, "access-token"), ""},
      {"base64 of some JSON", "eyJhIjoxfQ.txt", ""},
      {"sk-", "key: sk-proj4aBcDeFgHiJkLmNoPq", "secret key sk-: sk-proj4aBcDeFgHiJkLmNoPq"},
      {"sk- behind an escape", "\\nsk-proj4aBcDeFgHiJkLmNoPq", "secret key sk-: sk-proj4aBcDeFgHiJkLmNoPq"},
      {"words with sk-", "task-1234567890123456789012345 sk-learn-is-a-name-of-a-package", ""},
      {"GitHub", "ghp_0123456789abcdefghijABCDEFGHIJ012345", "GitHub token: ghp_0123456789abcdefghijABCDEFGHIJ012345"},
      {"Slack", "(xoxb-123456789012-abcdef)", "Slack token: xoxb-123456789012-abcdef"},
      {"AWS", "AKIAIOSFODNN7EXAMPLE", "AWS access key: AKIAIOSFODNN7EXAMPLE"},
      {"AWS, too long", "AKIAIOSFODNN7EXAMPLEX", ""},
      {"Google", "AIza0123456789abcdefghijABCDEFGHIJ-_01", ""},
      {"Google, whole", "AIza0123456789abcdefghijABCDEFGHIJ-_012",
       "Google API key: AIza0123456789abcdefghijABCDEFGHIJ-_012"},
      {"private key", "x -----BEGIN RSA PRIVATE KEY-----\\nMII\\n-----END RSA PRIVATE KEY-----",
       "private key: -----BEGIN RSA PRIVATE KEY-----\\nMII\\n"},
      {"public key", "-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----", ""},
      {"bearer", R"({"sent":"Bearer 0123456789abcdefghij"})", "bearer token: 0123456789abcdefghij"},
      {"bearer of a placeholder", "Bearer " + tagged, ""},
      {"bearer in prose", "bearer instruments-are-negotiable", ""},
      {"basic", "Basic dXNlcjpodW50ZXIy", "basic credentials: dXNlcjpodW50ZXIy"},
      {"basic in prose", "the basic idea", ""},
      {"URL", "see https://ada:hunter2@x.io/a?b@c", "password in a URL: hunter2"},
      {"URL without a password", "https://ada@x.io/ https://x.io/a:b@c", ""},
      {"URL with a placeholder", "https://ada:" + percent_encode(tagged) + "@x.io/", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(shape_in(row.text) == row.found);
  }
}

TEST_CASE("random strings are told from words, numbers and digests") {
  CHECK(random_in(R"("id":"q7Yx0ZpL9vBn3KdR5tWm2HcFg8JsA1eU")") == "random string: q7Yx0ZpL9vBn3KdR5tWm2HcFg8JsA1eU");
  CHECK(random_in("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == "");
  CHECK(random_in("/global/company/companyOverview/2.0/history/5500000012") == "");
  CHECK(random_in(placeholder(PlaceholderShape::jwt, "access-token")) == "");
  CHECK(random_in(std::string(1, '\0') + "q7Yx0ZpL9vBn3KdR5tWm2HcFg8JsA1eU") == "");
}

TEST_CASE("a text that is all suspects is given up on in time") {
  for (const char* piece : {"-eyJ", "-sk-", "-----BEGIN RSA PRIVATE KEY-----", "AKIAIOSFODNN7EXAMPLE ", "a://b:c@d/",
                            "Bearer 0123456789abcdefghij ", "eyJhbGciOiJ9-."}) {
    CAPTURE(std::string(piece));
    std::string text;
    while (text.size() < 2'000'000) text += piece;
    std::vector<SuspectSpan> found;
    find_secret_shapes(text, found);  // a search that grew with the square of this would not end today
    CHECK(found.size() <= suspects_max);
  }
}
