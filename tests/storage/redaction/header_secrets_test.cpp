#include "storage/redaction/header_secrets.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::string redacted(const std::string& name, const std::string& value, bool is_redirect) {
  static const RuleTable table({});
  Headers headers{{"Date", "now"}, {name, value}, {"Accept", "*/*"}};
  redact_headers(headers, {table, 0}, is_redirect, nullptr);
  const std::string once(headers[1].value);
  CHECK(headers[0].value == "now");
  CHECK(headers[1].name == name);
  CHECK(headers[2].value == "*/*");
  redact_headers(headers, {table, 0}, is_redirect, nullptr);
  CHECK(headers[1].value == once);
  return once;
}

}  // namespace

TEST_CASE("header fields") {
  struct Row {
    std::string name;
    std::string value;
    std::string expected;  // null: unchanged
    bool is_redirect = false;
  };
  const Row rows[] = {
      {"Authorization", "Bearer abc.def", "Bearer {{tapedeck:access-token}}"},
      {"authorization", "bearer  abc", "bearer  {{tapedeck:access-token}}"},
      {"Authorization", "Basic YTpi", "Basic {{tapedeck:basic}}"},
      {"Authorization", "apikey k-1", "apikey {{tapedeck:api-key}}"},
      {"Authorization", "Digest username=\"x\", response=\"y\"", "Digest {{tapedeck:authorization}}"},
      {"Authorization", "AWS4-HMAC-SHA256 Credential=A/b", "AWS4-HMAC-SHA256 {{tapedeck:authorization}}"},
      {"Authorization", "k-1234", "{{tapedeck:authorization}}"},
      {"Authorization", "s3cret with spaces", "{{tapedeck:authorization}}"},
      {"Authorization", "", ""},
      {"Authorization", "Bearer 7a9ede00-0000-4000-8000-0123456789ab", "Bearer {{tapedeck:access-token}}"},
      {"Proxy-Authorization", "Basic YTpi", "Basic {{tapedeck:basic}}"},
      {"Cookie", "a=1; sid=\"x y\"; c=", "a={{tapedeck:cookie}}; sid={{tapedeck:cookie}}; c="},
      {"Cookie", "bare", "{{tapedeck:cookie}}"},
      {"Cookie", "a=b=c", "a={{tapedeck:cookie}}"},
      {"Set-Cookie", "sid=x; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly",
       "sid={{tapedeck:cookie}}; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly"},
      {"Set-Cookie", "sid=; Max-Age=0", ""},
      {"X-Api-Key", "k", "{{tapedeck:api-key}}"},
      {"X-Auth-Token", "Bearer k", "{{tapedeck:access-token}}"},
      {"X-Amz-Security-Token", "k", "{{tapedeck:session-token}}"},
      {"Referer", "https://h/p?api_key=k&x=y", "https://h/p?api_key=%7B%7Btapedeck%3Aapi-key%7D%7D&x=y"},
      {"Location", "https://u:p@h/p", "https://%7B%7Btapedeck%3Auserinfo%7D%7D@h/p"},
      {"Location", "https://h/p@q", ""},
      {"Location", "/p?next=https://u@h", ""},
      {"Location", "/cb?code=abcdef123&state=s", "/cb?code=%7B%7Btapedeck%3Aauth-code%7D%7D&state=s", true},
      {"Location", "/cb?code=abcdef1234567890&scope=s", "/cb?code=%7B%7Btapedeck%3Aauth-code%7D%7D&scope=s", true},
      {"Location", "/search?code=62010", "", true},
      {"Location", "/search?state=CA&code=90210", "", true},
      {"Location", "/cb#access_token=t&state=s", "/cb#access_token=%7B%7Btapedeck%3Aaccess-token%7D%7D&state=s"},
      {"Location", "/cb?jwt=a#b", "/cb?jwt=%7B%7Btapedeck%3Ajwt%7D%7D#b"},
      {"Link", "</a?page=2&hapikey=k>; rel=\"next\", </a?page=1>; rel=\"prev\"",
       "</a?page=2&hapikey=%7B%7Btapedeck%3Aapi-key%7D%7D>; rel=\"next\", </a?page=1>; rel=\"prev\""},
      {"ETag", "\"abc\"", ""},
      {"Content-MD5", "abc", ""},
      {"WWW-Authenticate", "Bearer realm=\"x\"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.value);
    CHECK(redacted(row.name, row.value, row.is_redirect) == (row.expected.empty() ? row.value : row.expected));
  }
}
