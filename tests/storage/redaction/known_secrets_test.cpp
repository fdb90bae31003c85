#include "storage/redaction/known_secrets.hpp"

#include <doctest/doctest.h>

#include "storage/redaction/echoes.hpp"
#include "storage/redaction/placeholders.hpp"
#include "storage/redaction/text_redaction.hpp"

using namespace tapedeck;

namespace {

const RuleTable& table() {
  static const RuleTable rules({});
  return rules;
}

const SecretRule& rule_of(SecretPlace place, const char* key) {
  return *table().find(place, KeyText::of(key), 0);
}

std::string cleaned(const KnownSecrets& secrets, const std::string& text) {
  TextEdits edits;
  const auto all = secrets.all();
  find_echoes(text, *all, table(), false, edits);
  return edited(text, edits);
}

}  // namespace

TEST_CASE("which values are learned") {
  const auto& password = rule_of(SecretPlace::json, "password");
  const auto& cookie = rule_of(SecretPlace::header, "cookie");
  struct Row {
    const char* name;
    std::string value;
    const SecretRule* rule;
    bool learned;
  };
  const Row rows[] = {
      {"a password", "correct horse", &password, true},
      {"letters alone", "abcdefghijkl", &password, true},
      {"too short", "hunter2hunt", &password, false},
      {"short once it is decoded", "%61%62%63%64", &password, false},
      {"a placeholder", "{{tapedeck:password}}", &password, false},
      {"around a placeholder", "x{{tapedeck:password}}y", &password, false},
      {"our UUID", placeholder(PlaceholderShape::uuid, "x"), &password, false},
      {"our JWT", placeholder(PlaceholderShape::jwt, "x"), &password, false},
      {"nothing but zeros", "00000000-0000-0000-0000-000000000000", &password, false},
      {"a personal number", "19900101-1234", &password, false},
      {"a phone number", "+46 70 123 45 67", &password, false},
      {"a grant", "client_credentials", &password, false},
      {"a session", "s%3Aq8Zk2mB0pR", &cookie, true},
      {"a time zone", "Europe/Stockholm", &cookie, false},
      {"a choice", "dark-mode-enabled", &cookie, false},
      {"a long opaque value", "abcdefghijklmnopqrstuvwxyz", &cookie, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(is_worth_learning(row.value, *row.rule) == row.learned);
    KnownSecrets secrets({});
    secrets.learn({{row.value, row.rule, false}});
    CHECK((cleaned(secrets, "<" + row.value + ">") != "<" + row.value + ">") == row.learned);
  }
}

TEST_CASE("the parts of credentials are learned too") {
  KnownSecrets secrets({});
  secrets.learn({{base64("eva.ek.1985@example.com:pass-word-1234"), &table().credentials("Basic"), false},
                 {"Bearer opaque-token-99", &rule_of(SecretPlace::header, "x-auth-token"), false},
                 {"some%2Fuser%40x:l0ng-pass-word", &table().userinfo(), true}});
  CHECK(cleaned(secrets, "eva.ek.1985@example.com") == "{{tapedeck:basic}}");
  CHECK(cleaned(secrets, "pass-word-1234") == "{{tapedeck:basic}}");
  CHECK(cleaned(secrets, "opaque-token-99") == "{{tapedeck:access-token}}");
  CHECK(cleaned(secrets, "l0ng-pass-word") == "{{tapedeck:userinfo}}");
}

TEST_CASE("a long secret goes as one, whatever its size") {
  std::string value;
  for (int i = 0; value.size() < 5'000; ++i) value += std::to_string(i * 2654435761u % 1'000'003) + "x";
  KnownSecrets secrets({});
  secrets.learn({{value, &rule_of(SecretPlace::json, "secret"), false}});
  CHECK(cleaned(secrets, "<" + value + ">") == "<{{tapedeck:secret}}>");
  CHECK(cleaned(secrets, "<" + base64("12" + value) + ">") == "<{{tapedeck:secret}}>");
}

TEST_CASE("a JWT keeps a form that can be decoded") {
  const std::string jwt = base64url(R"({"alg":"RS256"})") + "." + base64url(R"({"sub":"x"})") + ".c2lnbmF0dXJl";
  KnownSecrets secrets({});
  secrets.learn({{jwt, &rule_of(SecretPlace::json, "access_token"), false}});
  CHECK(cleaned(secrets, "token " + jwt) == "token " + placeholder(PlaceholderShape::jwt, "access-token"));
}

TEST_CASE("what was not seen for the longest time is forgotten first") {
  const auto& rule = rule_of(SecretPlace::json, "secret");
  const auto value = [](std::size_t i) { return "value-of-secret-" + std::to_string(1'000'000 + i); };
  KnownSecrets secrets(std::vector<LiteralSecret>{{"the-users-own", "mine"}});
  for (std::size_t i = 0; i < KnownSecrets::learned_max; ++i) secrets.learn({{value(i), &rule, false}});
  secrets.learn({{value(0), &rule, false}, {value(5'000), &rule, false}});
  CHECK(cleaned(secrets, value(0)) == "{{tapedeck:secret}}");
  CHECK(cleaned(secrets, value(1)) == value(1));
  CHECK(cleaned(secrets, value(2)) == "{{tapedeck:secret}}");
  CHECK(cleaned(secrets, value(5'000)) == "{{tapedeck:secret}}");
  CHECK(cleaned(secrets, "the-users-own") == "{{tapedeck:mine}}");
}

TEST_CASE("what is learned at once does not push itself out") {
  const auto& rule = rule_of(SecretPlace::json, "secret");
  const auto value = [](std::size_t i) { return "value-of-secret-" + std::to_string(1'000'000 + i); };
  const auto long_value = [&](std::size_t i) {
    std::string text = value(i);
    while (text.size() < found_value_bytes_max)
      text += std::to_string((i + text.size()) * 2654435761u % 1'000'003) + "x";
    return text;
  };
  KnownSecrets secrets({});
  secrets.learn({{value(1), &rule, false}});
  std::vector<FoundSecret> found = {{value(0), &rule, false}};
  for (std::size_t i = 0; i < found_secrets_max; ++i) found.push_back({long_value(100'000 * (i + 1)), &rule, false});
  secrets.learn(found);
  CHECK(cleaned(secrets, value(0)) == "{{tapedeck:secret}}");
  CHECK(cleaned(secrets, value(1)) == "{{tapedeck:secret}}");  // half of the room stays for what was there
  CHECK(cleaned(secrets, found[1].value) == "{{tapedeck:secret}}");
}

TEST_CASE("what comes in a body does not push out what its head said") {
  const auto& rule = rule_of(SecretPlace::json, "secret");
  const std::string head = "value-of-the-head-1";
  const auto secrets = std::make_shared<KnownSecrets>(std::vector<LiteralSecret>());
  secrets->learn({{head, &rule, false}});
  TextRedaction redaction("application/json", {table(), 0, true}, secrets, 4096);
  std::string redacted;
  for (std::size_t i = 0; i < found_secrets_max; ++i) {
    std::string value;
    while (value.size() < 3'000) value += std::to_string((i * 7919 + value.size()) * 2654435761u % 1'000'003) + "x";
    redaction.push(R"({"secret":")" + value + "\"}\n", redacted);
  }
  redaction.push(R"({"echo":")" + head + "\"}", redacted);
  redaction.finish(redacted);
  CHECK(redacted.find("{{tapedeck:secret}}") != std::string::npos);
  CHECK(redacted.find(head) == std::string::npos);
}

TEST_CASE("of one exchange a bounded number is learned") {
  const auto& rule = rule_of(SecretPlace::json, "secret");
  const std::string text(20, 'x');
  Tally tally;
  for (std::size_t i = 0; i < 2 * found_secrets_max; ++i) tally.found(text, {{0, text.size(), &rule, Written::plain}});
  CHECK(tally.take_found().size() == found_secrets_max);
}
