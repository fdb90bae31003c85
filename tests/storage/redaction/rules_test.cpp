#include "storage/redaction/rules.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::string rule_name(const RuleTable& table, SecretPlace place, std::string_view key, std::uint64_t profiles = 0) {
  const auto* rule = table.find(place, KeyText::of(key), profiles);
  return rule == nullptr ? "" : rule->name;
}

}  // namespace

TEST_CASE("which keys are secrets") {
  const RuleTable table({});
  struct Row {
    SecretPlace place;
    std::string key;
    std::string rule;
  };
  using Place = SecretPlace;
  const Row rows[] = {
      {Place::json, "client_secret", "json *client_secret"},
      {Place::json, "clientSecret", "json *client_secret"},
      {Place::form, "CLIENT-SECRET", "form *client_secret"},
      {Place::query, "user[password]", "query password"},
      {Place::query, "password[]", "query password"},
      {Place::json, "spring.password", "json password"},
      {Place::json, "stripe_api_key", "json *api_key"},
      {Place::json, "apikey", "json *api_key"},
      {Place::query, "hapikey", "query hapikey"},
      {Place::json, "authCode", "json auth_code"},
      {Place::json, "client_id", "json client_id"},
      {Place::json, "clientId", ""},
      {Place::header, "Authorization", "header authorization"},
      {Place::header, "X-Amz-Security-Token", "header *security-token"},
      {Place::header, "Ocp-Apim-Subscription-Key", "header ocp-apim-subscription-key"},
      {Place::header, "x-goog-api-key", "header *api-key"},
      {Place::header, "X-DRCHRONO-Signature", "header x-drchrono-signature"},
      {Place::header, "api_key", "header apikey"},
      {Place::header, "accept", ""},
      {Place::header, "x-request-id", ""},
      {Place::header, "etag", ""},
      {Place::header, "x-ratelimit-remaining", ""},
      {Place::json, "token_type", ""},
      {Place::json, "expires_in", ""},
      {Place::json, "requestKey", ""},
      {Place::json, "status", ""},
      {Place::json, "nextPageToken", ""},
      {Place::json, "refresh_token_expiry", ""},
      {Place::json, "key", ""},
      {Place::json, "", ""},
      {Place::json, "password.", "json password"},
      {Place::json, "companyId", ""},
      {Place::json, "statusCode", ""},
      {Place::json, "zipCode", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.key);
    CHECK(rule_name(table, row.place, row.key) == row.rule);
  }
  CHECK(rule_name(table, Place::json, std::string(10'000, 'a') + "password") == "");
  CHECK(rule_name(table, Place::json, std::string(10'000, 'a') + "[password]") == "json password");
}

TEST_CASE("keys in the codings of forms and JSON") {
  const RuleTable table({});
  for (const std::string coded : {"client%5Fsecret", "client_secret", "%43lient+secret", "o%5Bclient_secret%5d"}) {
    CAPTURE(coded);
    CHECK(table.find(SecretPlace::form, KeyText::of_percent_coded(coded), 0) != nullptr);
  }
  for (const std::string raw : {R"(client_secret)", R"(\u0063lient_secret)", R"(client\u005Fsecret)"}) {
    CAPTURE(raw);
    CHECK(table.find(SecretPlace::json, KeyText::of_json(raw), 0) != nullptr);
  }
  CHECK(table.find(SecretPlace::form, KeyText::of_percent_coded("client%5secret%"), 0) == nullptr);
}

TEST_CASE("a profile's rules hold only where its bit is set, and win there") {
  Profile profile;
  profile.name = "p";
  profile.redaction = {{SecretPlace::json, "access_token", "access-token", PlaceholderShape::uuid},
                       {SecretPlace::json, "iban", "iban", PlaceholderShape::tagged}};
  const RuleTable table({profile});
  const auto* with = table.find(SecretPlace::json, KeyText::of("access_token"), 1);
  const auto* without = table.find(SecretPlace::json, KeyText::of("access_token"), 0);
  REQUIRE((with != nullptr && without != nullptr));
  CHECK(with->shape == PlaceholderShape::uuid);
  CHECK(without->shape == PlaceholderShape::tagged);
  CHECK(rule_name(table, SecretPlace::json, "IBAN", 1) == "json iban");
  CHECK(rule_name(table, SecretPlace::json, "iban", 0) == "");
  CHECK(rule_name(table, SecretPlace::form, "iban", 1) == "");
}

TEST_CASE("a profile's rule that could not work stops the start") {
  for (const auto& rule :
       {RedactionRule{SecretPlace::json, "", "a"}, RedactionRule{SecretPlace::json, "k", "A b"},
        RedactionRule{SecretPlace::json, "k", ""}, RedactionRule{SecretPlace::json, std::string(99, 'k'), "a"}}) {
    CAPTURE(rule.key);
    Profile profile;
    profile.redaction = {rule};
    CHECK_THROWS_AS(RuleTable({profile}), std::invalid_argument);
  }
}
