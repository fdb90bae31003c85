#include "config/profile.hpp"

#include <doctest/doctest.h>

#include "config/embedded_profiles.hpp"

using namespace tapedeck;

TEST_CASE("a host glob covers what it says and nothing more") {
  struct Row {
    const char* name;
    const char* glob;
    const char* host;
    std::uint16_t port;
    bool matches;
  };
  const Row rows[] = {
      {"the host itself", "api.x.io", "api.x.io", 443, true},
      {"no case", "API.x.io", "api.X.IO", 443, true},
      {"another host", "api.x.io", "api.y.io", 443, false},
      {"a host that ends alike", "x.io", "evilx.io", 443, false},
      {"a host below a plain name", "x.io", "api.x.io", 443, false},
      {"a trailing dot of the host", "api.x.io", "api.x.io.", 443, true},
      {"a star covers what is below", "*.x.io", "api.x.io", 443, true},
      {"a star covers two labels", "*.x.io", "a.b.x.io", 443, true},
      {"a star does not cover the name", "*.x.io", "x.io", 443, false},
      {"a star needs a label", "*.x.io", ".x.io", 443, false},
      {"a star minds the dot", "*.x.io", "evilx.io", 443, false},
      {"a name that goes on behind", "*.x.io", "api.x.io.evil.com", 443, false},
      {"everything", "*", "anything", 1, true},
      {"everything on a port", "*:8443", "anything", 8443, true},
      {"everything on another port", "*:8443", "anything", 443, false},
      {"the port that was named", "api.x.io:8443", "api.x.io", 8443, true},
      {"another port", "api.x.io:8443", "api.x.io", 443, false},
      {"a port with a star", "*.x.io:8443", "api.x.io", 8443, true},
      {"a port that is none", "api.x.io:x", "api.x.io", 443, false},
      {"an empty port", "api.x.io:", "api.x.io", 443, false},
      {"an IPv4 address", "127.0.0.1", "127.0.0.1", 80, true},
      {"IPv6 in brackets", "[::1]", "::1", 80, true},
      {"IPv6 in brackets, both", "[::1]", "[::1]", 80, true},
      {"IPv6 without brackets", "::1", "::1", 80, true},
      {"IPv6 with the port", "[::1]:8443", "::1", 8443, true},
      {"IPv6 with another port", "[::1]:8443", "::1", 443, false},
      {"an empty host", "api.x.io", "", 443, false},
      {"two empties", "", "", 443, false},
      {"a star inside a label is a plain character", "a*i.x.io", "api.x.io", 443, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(host_glob_matches(row.glob, row.host, row.port) == row.matches);
  }
}

TEST_CASE("a profile is read whole") {
  const auto profile = parse_profile(R"({
    "name": "x-api", "hosts": ["API.x.io", "*.y.io:8443"], "upstream": "https://api.x.io",
    "redaction": [{"place": "json", "key": "Access_Token", "class": "access-token", "shape": "uuid"},
                  {"place": "header", "key": "X-Key", "class": "api-key"},
                  {"place": "query", "key": "k", "class": "k"},
                  {"place": "form", "key": "f", "class": "f", "shape": "jwt"}],
    "matching": [{"kind": "ignore_form", "key": "client_id", "method": "POST", "path": "/token"},
                 {"kind": "ignore_query", "key": "Ts"}, {"kind": "ignore_json", "key": "id", "path": "/v1/*"}],
    "rewriting": [{"kind": "json_number_at_least", "key": "expires_in", "value": 3600, "path": "/token"}]
  })",
                                     "x.json");
  REQUIRE_MESSAGE(profile.has_value(), profile.error().detail);
  CHECK(profile->name == "x-api");
  CHECK(profile->hosts == std::vector<std::string>{"api.x.io", "*.y.io:8443"});
  REQUIRE(profile->upstream.has_value());
  CHECK(profile->upstream->host == "api.x.io");
  REQUIRE(profile->redaction.size() == 4);
  CHECK(profile->redaction[0].place == SecretPlace::json);
  CHECK(profile->redaction[0].key == "access_token");
  CHECK(profile->redaction[0].placeholder_class == "access-token");
  CHECK(profile->redaction[0].shape == PlaceholderShape::uuid);
  CHECK(profile->redaction[1].place == SecretPlace::header);
  CHECK(profile->redaction[1].shape == PlaceholderShape::tagged);
  CHECK(profile->redaction[2].place == SecretPlace::query);
  CHECK(profile->redaction[3].shape == PlaceholderShape::jwt);
  REQUIRE(profile->matching.size() == 3);
  CHECK(profile->matching[0].kind == MatchRule::Kind::ignore_form);
  CHECK(profile->matching[0].method == "POST");
  CHECK(profile->matching[1].key == "Ts");
  CHECK(profile->matching[2].path == "/v1/*");
  REQUIRE(profile->rewriting.size() == 1);
  CHECK(profile->rewriting[0].value == 3600);
}

TEST_CASE("a profile that is wrong is refused by name") {
  struct Row {
    const char* name;
    const char* json;
    const char* detail;
  };
  const Row rows[] = {
      {"no JSON", "{\n\"name\": \n", "p.json: line 3 is not JSON; mend it there"},
      {"no object", "[]", "p.json: must hold one JSON object: write {…}"},
      {"no name", R"({"hosts": ["x.io"]})", R"(p.json: lacks the key "name"; add it)"},
      {"no hosts", R"({"name": "x"})", R"(p.json: "hosts" must list the hosts of the API, as in ["api.x.io"])"},
      {"name none", R"({"name": "none", "hosts": ["x.io"]})",
       R"(p.json: "name" must be of a-z, 0-9 and '-', and not none)"},
      {"near key", R"({"name": "x", "host": ["x.io"]})", R"(p.json: there is no key "host"; did you mean "hosts"?)"},
      {"far key", R"({"name": "x", "zzzzzz": 1})",
       R"(p.json: there is no key "zzzzzz"; there are name, hosts, upstream, redaction, matching and rewriting)"},
      {"a key twice", R"({"name": "x", "name": "y"})", R"(p.json: has the key "name" twice; keep one)"},
      {"a key twice, deep", R"({"name": "x", "hosts": ["x.io"], "matching": [{"kind": "a", "kind": "b"}]})",
       R"(p.json: has the key "kind" twice; keep one)"},
      {"bad host", R"({"name": "x", "hosts": ["https://x.io"]})",
       R"(p.json: hosts: "https://x.io" is a URL; write a host like api.x.io, *.x.io for all below x.io, or *; with )"
       R"(:PORT for one port)"},
      {"bad kind", R"({"name": "x", "hosts": ["x.io"], "matching": [{"kind": "ignore", "key": "a"}]})",
       R"(p.json: matching[0]: "kind" is "ignore"; write one of ignore_query, ignore_form and ignore_json)"},
      {"rule key", R"({"name": "x", "hosts": ["x.io"], "redaction": [{"place": "json", "key": "a", "clas": "b"}]})",
       R"(p.json: redaction[0]: there is no key "clas"; did you mean "class"?)"},
      {"bad class", R"({"name": "x", "hosts": ["x.io"], "redaction": [{"place": "json", "key": "a", "class": "B c"}]})",
       R"(p.json: redaction[0]: "class" must be of a-z, 0-9 and '-')"},
      {"star in the middle",
       R"({"name": "x", "hosts": ["x.io"], "matching": [{"kind": "ignore_json", "key": "a", "path": "/*/b"}]})",
       R"(p.json: matching[0]: "path" may have a '*' at its end only)"},
      {"value no number",
       R"({"name": "x", "hosts": ["x.io"], "rewriting": [{"kind": "json_number_at_least", "key": "a", "value": "1"}]})",
       R"(p.json: rewriting[0]: "value" must be a whole number)"},
      {"rule no object", R"({"name": "x", "hosts": ["x.io"], "rewriting": [1]})",
       R"(p.json: rewriting[0]: must be an object: write {…})"},
      {"list no list", R"({"name": "x", "hosts": ["x.io"], "rewriting": {}})",
       R"(p.json: "rewriting" must be a list: write […])"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto profile = parse_profile(row.json, "p.json");
    REQUIRE(!profile.has_value());
    CHECK(profile.error().detail == row.detail);
  }
}

TEST_CASE("every profile that is compiled in can be read and has its own name") {
  CHECK(!embedded_profiles().empty());
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    CAPTURE(embedded.name);
    const auto profile = load_profile(embedded.name);
    REQUIRE_MESSAGE(profile.has_value(), profile.error().detail);
    CHECK(profile->name == embedded.name);
  }
}

TEST_CASE("the roaring profile knows the hosts, the tokens and both ways to ask for one") {
  const auto profile = load_profile("roaring");
  REQUIRE(profile.has_value());
  CHECK(profile->hosts == std::vector<std::string>{"api.roaring.io", "backend.roaring.io"});
  CHECK(profile->upstream->host == "api.roaring.io");
  CHECK(profile->redaction[0].key == "access_token");
  CHECK(profile->redaction[0].shape == PlaceholderShape::uuid);
  CHECK(profile->matching.size() == 4);
  for (const MatchRule& rule : profile->matching) {
    CHECK(rule.kind == MatchRule::Kind::ignore_form);
    CHECK(rule.method == "POST");
  }
  CHECK(profile->rewriting[0].value == 3600);
}

TEST_CASE("a profile that there is not is refused with those there are") {
  const auto profile = load_profile("roring");
  REQUIRE(!profile.has_value());
  CHECK(profile.error().code == "profile-unknown");
  CHECK(profile.error().detail == "there is no profile \"roring\"; there are roaring and none, did you mean roaring?");
}
