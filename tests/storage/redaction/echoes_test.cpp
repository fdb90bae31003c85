#include "storage/redaction/echoes.hpp"

#include <random>

#include <doctest/doctest.h>

#include "storage/redaction/placeholders.hpp"

using namespace tapedeck;

namespace {

const RuleTable& table() {
  static const RuleTable rules({});
  return rules;
}

KnownSecretPointer secret(const std::string& value, const std::string& placeholder_class = "api-key") {
  SecretRule rule;
  rule.name = "echo";
  rule.text = placeholder(PlaceholderShape::tagged, placeholder_class);
  rule.percent_text = percent_encode(rule.text);
  return std::make_shared<const KnownSecret>(value, rule);
}

std::string cleaned(const std::string& text, const SecretPatterns& patterns, bool percent_coded = false) {
  TextEdits edits;
  find_echoes(text, patterns, table(), percent_coded, edits);
  return edited(text, edits);
}

std::string hex(std::string_view bytes, const char* format) {
  std::string text;
  for (const char c : bytes) {
    char coded[8];
    std::snprintf(coded, sizeof coded, format, static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += coded;
  }
  return text;
}

}  // namespace

TEST_CASE("a secret is found in every coding") {
  const std::string value = "k3y/with+odd=chars & \"more\"";
  const SecretPatterns patterns({secret(value)});
  const std::string tagged = "{{tapedeck:api-key}}";
  const auto percent = percent_encode(tagged);
  struct Row {
    std::string name;
    std::string coded;
    std::string expected;
  };
  const Row rows[] = {
      {"raw", value, tagged},
      {"percent-coded", percent_encode(value), percent},
      {"percent-coded in lower case", "k3y%2fwith%2bodd%3dchars%20%26%20%22more%22", percent},
      {"reserved characters alone", "k3y/with%2Bodd=chars%20%26%20%22more%22", percent},
      {"as a form", "k3y%2Fwith%2Bodd%3Dchars+%26+%22more%22", percent},
      {"coded twice", percent_encode(percent_encode(value)), percent},
      {"JSON", R"(k3y/with+odd=chars & \"more\")", tagged},
      {"JSON of PHP", R"(k3y\/with+odd=chars & \"more\")", tagged},
      {"JSON of Go", R"(k3y/with+odd=chars \u0026 \"more\")", tagged},
      {"JSON of Python, all coded", hex(value, "\\u%04x"), tagged},
      {"JSON in JSON", R"(k3y\\\/with+odd=chars \\u0026 \\\"more\\\")", tagged},
      {"HTML", "k3y/with+odd=chars &amp; &quot;more&#34;", tagged},
      {"HTML in hexadecimal", "k3y&#x2F;with&#x2b;odd=chars &amp; &quot;more&quot;", tagged},
      {"every byte percent-coded", hex(value, "%%%02x"), percent},
      {"hexadecimal", hex(value, "%02x"), tagged},
      {"hexadecimal in upper case", hex(value, "%02X"), tagged},
      {"base64", base64(value), tagged},
      {"base64url", base64url(value), tagged},
      {"base64, percent-coded", percent_encode(base64("ab" + value) + "="), percent},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.coded);
    // As a whole, within other text, and where the search goes on with its next step.
    CHECK(cleaned(row.coded, patterns) == row.expected);
    CHECK(cleaned("<" + row.coded + ">\r\n", patterns) == "<" + row.expected + ">\r\n");
    for (const std::size_t before : {65'530, 65'536, 131'060, 200'000}) {
      const std::string filling(before, '.');
      const bool found = cleaned(filling + row.coded + filling, patterns) == filling + row.expected + filling;
      CHECK(found);
    }
  }
}

TEST_CASE("nothing of a secret can be read from base64 around it") {
  const std::string value = "canary-of-twenty-bytes";
  const SecretPatterns patterns({secret(value)});
  for (std::size_t before = 0; before < 7; ++before) {
    for (std::size_t behind = 0; behind < 7; ++behind) {
      CAPTURE(before);
      CAPTURE(behind);
      const auto text = base64(std::string(before, '<') + value + std::string(behind, '>'));
      const auto clean = cleaned(text, patterns);
      const auto at = clean.find("{{tapedeck:api-key}}");
      REQUIRE(at != std::string::npos);
      // What stays decodes to nothing but the filling.
      CHECK(base64_decode(clean.substr(0, at)).find_first_not_of('<') == std::string::npos);
      CHECK(base64_decode(clean.substr(at + 20)).find_first_not_of('>') == std::string::npos);
    }
  }
}

TEST_CASE("what is written fits where it stands") {
  const SecretPatterns patterns({secret("abcdefghijkl123")});
  CHECK(cleaned("https://h/?key=abcdefghijkl123&x=1", patterns) == "https://h/?key=%7B%7Btapedeck%3Aapi-key%7D%7D&x=1");
  CHECK(cleaned("key=abcdefghijkl123", patterns) == "key={{tapedeck:api-key}}");
  CHECK(cleaned("key=abcdefghijkl123", patterns, true) == "key=%7B%7Btapedeck%3Aapi-key%7D%7D");
  CHECK(cleaned(R"({"a":"abcdefghijkl123"})", patterns) == R"({"a":"{{tapedeck:api-key}}"})");
}

TEST_CASE("secrets that overlap leave nothing") {
  const SecretPatterns patterns({secret("0123456789abcdef"), secret("89abcdefghijklmn"), secret("0123456789ab")});
  CHECK(cleaned("<0123456789abcdefghijklmn>", patterns) == "<{{tapedeck:api-key}}>");
  CHECK(cleaned("<0123456789abXX>", patterns) == "<{{tapedeck:api-key}}XX>");
  CHECK(cleaned("<0123456789aXXX>", patterns) == "<0123456789aXXX>");
}

TEST_CASE("a word that our own placeholders hold is not taken out of them") {
  const SecretPatterns patterns({secret("client", "secret"), secret("tapedeck:", "secret")});
  for (const std::string text : {"{{tapedeck:client-secret}}", "a=%7B%7Btapedeck%3Aclient-secret%7D%7D&b"}) {
    CHECK(cleaned(text, patterns) == text);
  }
  CHECK(cleaned("my client", patterns) == "my {{tapedeck:secret}}");
  CHECK(cleaned("{{tapedeck:client-x}}", patterns) != "{{tapedeck:client-x}}");
}

TEST_CASE("many secrets, each found and nothing else") {
  std::vector<KnownSecretPointer> secrets;
  std::vector<std::string> values;
  for (int i = 0; i < 600; ++i) values.push_back("common-prefix-" + std::to_string(i * 7919 % 100'000) + "-tail");
  for (const auto& value : values) secrets.push_back(secret(value));
  const SecretPatterns patterns(secrets);
  for (const auto& value : values) {
    CHECK(cleaned("[" + value + "]", patterns) == "[{{tapedeck:api-key}}]");
  }
  const std::string other = "common-prefix-x common-prefix-1-tai common-prefix-";
  CHECK(cleaned(other, patterns) == other);
}

namespace {

// Escapes each character in one of three ways, or some of them in one of two: a backslash before the escape of an `u`
// would mean something else.
std::string escaped_at_random(const std::string& text, bool all, std::mt19937& random) {
  std::string coded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    constexpr const char* ways[] = {"%%%02X", "&#%u;", "\\u%04x"};
    const auto way = random() % (all ? 3 : 5);
    char escape[12];
    std::snprintf(escape, sizeof escape, all || way < 2 ? ways[way] : "%c", byte);
    coded += escape;
  }
  return coded;
}

}  // namespace

TEST_CASE("a secret under three levels of mixed escapes is found wherever it stands, and nothing else goes") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string value = "s3cret-of-some-length";
  const SecretPatterns patterns({secret(value)});
  const std::string filler[] = {"plain words ", "a \\\"quoted\\\" one, ", "100%25 of &amp;amp; ", "x", "\\n"};
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::string before;
    std::string after;
    for (auto left = random() % 60; left > 0; --left) before += filler[random() % std::size(filler)];
    for (auto left = random() % 60; left > 0; --left) after += filler[random() % std::size(filler)];
    auto coded = value;
    const bool all = random() % 2 == 0;
    for (auto levels = random() % 4; levels > 0; --levels) coded = escaped_at_random(coded, all, random);
    CAPTURE(coded);
    const auto clean = cleaned(before + "|" + coded + "|" + after, patterns);
    CHECK(clean.starts_with(before + "|"));
    CHECK(clean.ends_with("|" + after));
    const auto middle = clean.substr(before.size() + 1, clean.size() - before.size() - after.size() - 2);
    CHECK((middle == "{{tapedeck:api-key}}" || middle == percent_encode("{{tapedeck:api-key}}")));
  }
}

TEST_CASE("escapes of the greatest length may stand between what was undone and the longest pattern, level by level") {
  const std::string value = "s3cret-of-some-length";
  const SecretPatterns patterns({secret(value)});
  const auto coded = hex(value, "%02x");
  const auto first = std::to_string(static_cast<unsigned>(coded.front()));
  const auto last = std::to_string(static_cast<unsigned>(coded.back()));
  const auto padded = [](const std::string& code) { return "#" + std::string(9 - code.size(), '0') + code + ";"; };
  const std::string tagged = "{{tapedeck:api-key}}";
  CHECK(cleaned("%26#000000038;" + padded(first) + coded.substr(1), patterns).find(coded.substr(1)) ==
        std::string::npos);
  const auto left = coded.substr(0, coded.size() - 1) + "&" + padded(last).substr(0, 10) + "&#000000059%3B";
  CHECK(cleaned(left, patterns).find(coded.substr(0, coded.size() - 1)) == std::string::npos);
}

TEST_CASE("a secret of NUL bytes is not found in the gaps between what is searched again") {
  const SecretPatterns patterns({secret(std::string(12, '\0')), secret("another-secret-of-some-length")});
  const std::string text = "a%20b" + std::string(3000, 'x') + "c%20d";
  CHECK(cleaned(text, patterns) == text);
  std::string escaped;
  for (int i = 0; i < 12; ++i) escaped += "\\u0000";
  CHECK(cleaned("a%20b" + escaped + "c", patterns) == "a%20b{{tapedeck:api-key}}c");
}
