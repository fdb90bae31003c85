#include "replay/serving/rewriting.hpp"

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"

using namespace tapedeck;

namespace {

std::vector<Profile> profiles() {
  Profile profile;
  profile.hosts = {"api.x.io"};
  profile.rewriting = {{RewriteRule::Kind::json_number_at_least, "expires_in", 3600, "/token"}};
  return {profile};
}

Request request_to(const char* host, const char* target) {
  Request request;
  request.origin = {"https", host, 443};
  request.method = "POST";
  request.target = target;
  return request;
}

Response json_response(std::string body) {
  Response response;
  response.status = 200;
  response.body.bytes = std::move(body);
  return response;
}

}  // namespace

TEST_CASE("numbers are raised, all other bytes stay") {
  struct Row {
    const char* name;
    const char* host;
    const char* target;
    const char* body;
    const char* served;
  };
  const Row rows[] = {
      {"below", "api.x.io", "/token", R"({"a": 1, "expires_in" : 5})", R"({"a": 1, "expires_in" : 3600})"},
      {"above", "api.x.io", "/token", R"({"expires_in":7200})", R"({"expires_in":7200})"},
      {"equal", "api.x.io", "/token", R"({"expires_in":3600})", R"({"expires_in":3600})"},
      {"negative", "api.x.io", "/token", R"({"expires_in":-1})", R"({"expires_in":3600})"},
      {"twice", "api.x.io", "/token", R"([{"expires_in":1},{"expires_in":2}])",
       R"([{"expires_in":3600},{"expires_in":3600}])"},
      {"a string is not a number", "api.x.io", "/token", R"({"expires_in":"5"})", R"({"expires_in":"5"})"},
      {"another key", "api.x.io", "/token", R"({"expires":5})", R"({"expires":5})"},
      {"another path", "api.x.io", "/tokens", R"({"expires_in":5})", R"({"expires_in":5})"},
      {"a query does not change the path", "api.x.io", "/token?a=1", R"({"expires_in":5})", R"({"expires_in":3600})"},
      {"another host", "api.y.io", "/token", R"({"expires_in":5})", R"({"expires_in":5})"},
      {"not JSON", "api.x.io", "/token", R"(expires_in":5)", R"(expires_in":5)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    auto response = json_response(row.body);
    rewrite_response(response, request_to(row.host, row.target), profiles());
    CHECK(response.body.bytes == row.served);
    const bool changed = std::string_view(row.body) != row.served;
    CHECK((response.body.form == BodyForm::edited) == changed);
  }
}

TEST_CASE("a coded body is rewritten within its coding") {
  auto response = json_response(encode_content(ContentCoding::gzip, R"({"expires_in":5})"));
  response.headers.add("Content-Encoding", "gzip");
  rewrite_response(response, request_to("api.x.io", "/token"), profiles());
  CHECK(*decode_content(ContentCoding::gzip, response.body.bytes, 100) == R"({"expires_in":3600})");
}
