#include "proxy/connection/session_choice.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("the session of a request, surest first") {
  struct Row {
    const char* name;
    SessionSources known;
    std::vector<HeaderView> fields;
    const char* session;  // nullptr: refused
  };
  const SessionSources nothing{"", "", "default"};
  const HeaderView bob{"Proxy-Authorization", "Basic Ym9iOng="};         // bob:x
  const HeaderView nobody{"Proxy-Authorization", "Basic OnNlY3JldA=="};  // :secret
  const Row rows[] = {
      {"nothing said", nothing, {}, "default"},
      {"the listening port", {"port", "", "default"}, {{"Tapedeck-Session", "alice"}, bob}, "port"},
      {"the field", nothing, {{"Tapedeck-Session", "alice"}}, "alice"},
      {"the field in another case", nothing, {{"tapedeck-session", "alice"}}, "alice"},
      {"the field beats the user", nothing, {bob, {"Tapedeck-Session", "alice"}}, "alice"},
      {"the field beats the tunnel", {"", "tunnel", "default"}, {{"Tapedeck-Session", "alice"}}, "alice"},
      {"the user", nothing, {bob}, "bob"},
      {"the user beats the tunnel", {"", "tunnel", "default"}, {bob}, "bob"},
      {"the tunnel", {"", "tunnel", "default"}, {}, "tunnel"},
      {"a scheme in another case", nothing, {{"Proxy-Authorization", "basic Ym9iOng="}}, "bob"},
      {"two spaces", nothing, {{"Proxy-Authorization", "Basic  Ym9iOng="}}, "bob"},
      {"a user without a password", nothing, {{"Proxy-Authorization", "Basic Ym9iOg=="}}, "bob"},
      {"a password with colons", nothing, {{"Proxy-Authorization", "Basic Ym9iOjo6"}}, "bob"},
      {"a password without a user", nothing, {nobody}, "default"},
      {"another scheme names nobody", nothing, {{"Proxy-Authorization", "Bearer Ym9iOng="}}, "default"},
      {"no base64", nothing, {{"Proxy-Authorization", "Basic !!!="}}, "default"},
      {"cut base64", nothing, {{"Proxy-Authorization", "Basic Ym9iOn"}}, "default"},
      {"no colon", nothing, {{"Proxy-Authorization", "Basic Ym9i"}}, "default"},
      {"an empty field", nothing, {{"Proxy-Authorization", ""}}, "default"},
      {"Authorization is not ours", nothing, {{"Authorization", "Basic Ym9iOng="}}, "default"},
      {"an empty name", nothing, {{"Tapedeck-Session", ""}}, nullptr},
      {"a space", nothing, {{"Tapedeck-Session", "a b"}}, nullptr},
      {"bytes beyond ASCII", nothing, {{"Tapedeck-Session", "\xc3\xa5"}}, nullptr},
      {"a bad user", nothing, {{"Proxy-Authorization", "Basic YS9iOng="}}, nullptr},               // a/b:x
      {"a user with a line feed", nothing, {{"Proxy-Authorization", "Basic YQpiOng="}}, nullptr},  // a\nb:x
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    ScannedHead head;
    head.fields = row.fields;
    const auto chosen = choose_session(row.known, head);
    CHECK(chosen.has_value() == (row.session != nullptr));
    if (chosen) CHECK(*chosen == row.session);
    if (!chosen) CHECK(chosen.error().code == "bad-session");
  }
}

TEST_CASE("a session's name is bounded, and what was said is not repeated") {
  ScannedHead head;
  const std::string longest(64, 'a');
  const std::string longer(65, 'a');
  head.fields = {{"Tapedeck-Session", longest}};
  CHECK(choose_session({}, head).value() == longest);
  head.fields = {{"Tapedeck-Session", longer}};
  const auto refused = choose_session({}, head);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().detail.find("aaa") == std::string::npos);
  const std::string endless = "Basic " + std::string(8192, 'Y');
  head.fields = {{"Proxy-Authorization", endless}};
  CHECK(choose_session({"", "", "default"}, head).value() == "default");
}
