#include "proxy/http/served_head.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/http/field_syntax.hpp"
#include "proxy/http/head_scan.hpp"

using namespace tapedeck;
using namespace std::string_literals;

namespace {

const Origin origin{"https", "api.roaring.io", 443};

Headers headers_of(const std::string& lines) {
  Headers headers;
  std::size_t at = 0;
  while (at < lines.size()) {
    const auto end = std::min(lines.find('\n', at), lines.size());
    const auto colon = lines.find(':', at);
    headers.add(lines.substr(at, colon - at), lines.substr(colon + 1, end - colon - 1));
    at = end + 1;
  }
  return headers;
}

Response response_of(int status, const std::string& lines, BodyFraming framing, BodyForm form = BodyForm::verbatim) {
  Response response;
  response.status = status;
  response.reason = "X";
  response.headers = headers_of(lines);
  response.body.framing = framing;
  response.body.form = form;
  return response;
}

// Without the status line and the empty line, with \n for CRLF.
std::string fields_of(const std::string& head) {
  const auto begin = head.find("\r\n");
  REQUIRE(begin != std::string::npos);
  REQUIRE(head.ends_with("\r\n\r\n"));
  std::string fields;
  for (const char c : head.substr(begin + 2, head.size() - begin - 4)) {
    if (c != '\r') fields += c;
  }
  return fields;
}

struct Row {
  std::string name;
  Response response;
  ServedContext context;
  std::optional<std::uint64_t> body_bytes;
  std::string fields;
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(fields_of(served_head(row.response, row.context, origin, row.body_bytes)) == row.fields);
  }
}

constexpr auto length = BodyFraming::content_length;
constexpr auto chunked = BodyFraming::chunked;
constexpr auto until_close = BodyFraming::until_close;
constexpr auto none = BodyFraming::none;
const ServedContext get{.request_method = "GET"};
const ServedContext get_1_0{.request_method = "GET", .http_1_0 = true};
const ServedContext get_and_close{.request_method = "GET", .close = true};
const ServedContext reverse{
    .request_method = "GET", .reverse = true, .client_scheme = "http", .client_authority = "127.0.0.1:8484"};

}  // namespace

TEST_CASE("the framing that was recorded is served in its place") {
  check({
      {"length rewritten", response_of(200, "a:1\ncontent-LENGTH:5\nB:2", length), get, 7,
       "a: 1\ncontent-LENGTH: 7\nB: 2\n"},
      {"length as recorded", response_of(200, "Content-Length:5\nB:2", length), get, {}, "Content-Length: 5\nB: 2\n"},
      {"length of nothing", response_of(200, "Content-Length:0", length), get, 0, "Content-Length: 0\n"},
      {"length that was not there", response_of(200, "A:1", length), get, 7, "A: 1\nContent-Length: 7\n"},
      {"body without framing", response_of(200, "A:1", none), get, 0, "A: 1\nContent-Length: 0\n"},
      {"two lengths", response_of(200, "Content-Length:5\nContent-Length:6", length), get, 7, "Content-Length: 7\n"},
      {"coding beside a length", response_of(200, "Transfer-Encoding:chunked\nContent-Length:5", length), get, 5,
       "Content-Length: 5\n"},
      {"length that is no number", response_of(200, "Content-Length:5x", length), get, {}, "Content-Length: 0\n"},
      {"chunks", response_of(200, "A:1\ntransfer-encoding:Chunked\nB:2", chunked), get, 7,
       "A: 1\ntransfer-encoding: Chunked\nB: 2\n"},
      {"chunks with another coding",
       response_of(200, "Transfer-Encoding:gzip", chunked),
       get,
       {},
       "Transfer-Encoding: chunked\n"},
      {"length beside chunks",
       response_of(200, "Content-Length:5\nTransfer-Encoding:chunked", chunked),
       get,
       {},
       "Transfer-Encoding: chunked\n"},
      {"until close", response_of(200, "A:1", until_close), get, 7, "A: 1\nTransfer-Encoding: chunked\n"},
      {"chunks to HTTP/1.0", response_of(200, "A:1\nTransfer-Encoding:chunked", chunked), get_1_0, 7,
       "A: 1\nConnection: close\n"},
      {"until close to HTTP/1.0", response_of(200, "A:1", until_close), get_1_0, 7, "A: 1\nConnection: close\n"},
      {"length to HTTP/1.0", response_of(200, "Content-Length:5", length), get_1_0, 5,
       "Content-Length: 5\nConnection: keep-alive\n"},
      {"closing", response_of(200, "Content-Length:5", length), get_and_close, 5,
       "Content-Length: 5\nConnection: close\n"},
      {"trailer announced",
       response_of(200, "Trailer:Digest\nTransfer-Encoding:chunked", chunked),
       get,
       {},
       "Trailer: Digest\nTransfer-Encoding: chunked\n"},
      {"trailer that cannot be",
       response_of(200, "Trailer:Digest\nTransfer-Encoding:chunked", chunked),
       get_1_0,
       {},
       "Connection: close\n"},
  });
}

TEST_CASE("responses without a body") {
  const ServedContext head{.request_method = "HEAD"};
  check({
      {"HEAD keeps the length", response_of(200, "Content-Length:500\nA:1", none), head, 0,
       "Content-Length: 500\nA: 1\n"},
      {"HEAD without a length", response_of(200, "A:1", none), head, {}, "A: 1\n"},
      {"HEAD with two lengths",
       response_of(200, "Content-Length:5\nContent-Length:6", none),
       head,
       {},
       "Content-Length: 5\n"},
      {"HEAD in chunks", response_of(200, "Transfer-Encoding:chunked\nA:1", none), head, {}, "A: 1\n"},
      {"HEAD that says it has a body", response_of(200, "Transfer-Encoding:chunked", chunked), head, {}, ""},
      {"304 keeps the length", response_of(304, "Content-Length:500\nETag:\"a\"", none), get, 0,
       "Content-Length: 500\nETag: \"a\"\n"},
      {"204 has none", response_of(204, "Content-Length:5\nTransfer-Encoding:chunked\nA:1", none), get, {}, "A: 1\n"},
      {"204 to HEAD", response_of(204, "Content-Length:5", none), head, {}, ""},
  });
}

TEST_CASE("fields that end at this hop are left out") {
  check({
      {"the fixed ones",
       response_of(200,
                   "Keep-Alive:5\nProxy-Connection:x\nUpgrade:h2c\nTE:x\nProxy-Authenticate:Basic\nconnection:keep-"
                   "alive\nContent-Length:1",
                   length),
       get, 1, "Content-Length: 1\n"},
      {"what Connection names",
       response_of(200, "Connection: X-Hop , close\nx-hop:1\nX-Hopper:2\nContent-Length:1", length), get, 1,
       "X-Hopper: 2\nContent-Length: 1\n"},
      {"what two Connections name",
       response_of(200, "Connection:a\nConnection:,,b\nA:1\nB:2\nC:3\nContent-Length:1", length), get, 1,
       "C: 3\nContent-Length: 1\n"},
      {"what Connection may not name",
       response_of(
           200, "Connection:content-length, content-type, set-cookie\nContent-Type:a\nSet-Cookie:b\nContent-Length:1",
           length),
       get, 1, "Content-Type: a\nSet-Cookie: b\nContent-Length: 1\n"},
      {"Alt-Svc", response_of(200, "alt-svc:h3=\":443\"\nContent-Length:1", length), get, 1, "Content-Length: 1\n"},
      {"HSTS stays in a tunnel", response_of(200, "Strict-Transport-Security:max-age=1\nContent-Length:1", length), get,
       1, "Strict-Transport-Security: max-age=1\nContent-Length: 1\n"},
      {"HSTS goes in reverse mode", response_of(200, "Strict-Transport-Security:max-age=1\nContent-Length:1", length),
       reverse, 1, "Content-Length: 1\n"},
      {"Date, Via and cookies stay",
       response_of(200, "Date:then\nVia:1.1 x\nSet-Cookie:a\nSet-Cookie:b\nContent-Length:1", length), get, 1,
       "Date: then\nVia: 1.1 x\nSet-Cookie: a\nSet-Cookie: b\nContent-Length: 1\n"},
  });
}

TEST_CASE("digests and codings go when redaction made them untrue") {
  const std::string lines =
      "Digest:a\nContent-Digest:b\nRepr-Digest:c\nContent-MD5:d\nETag:\"e\"\nContent-Encoding:gzip\nContent-Length:1";
  check({
      {"verbatim", response_of(200, lines, length), get, 9,
       "Digest: a\nContent-Digest: b\nRepr-Digest: c\nContent-MD5: d\nETag: \"e\"\nContent-Encoding: "
       "gzip\nContent-Length: 9\n"},
      {"edited", response_of(200, lines, length, BodyForm::edited), get, 9,
       "ETag: \"e\"\nContent-Encoding: gzip\nContent-Length: 9\n"},
      {"identity", response_of(200, lines, length, BodyForm::identity), get, 9, "ETag: \"e\"\nContent-Length: 9\n"},
  });
}

TEST_CASE("Location of the upstream becomes ours in reverse mode") {
  struct LocationRow {
    std::string sent, served;
  };
  const std::vector<LocationRow> rows = {
      {"https://api.roaring.io/a?b#c", "http://127.0.0.1:8484/a?b#c"},
      {"https://api.roaring.io", "http://127.0.0.1:8484"},
      {"https://api.roaring.io?a", "http://127.0.0.1:8484?a"},
      {"HTTPS://API.Roaring.IO:443/a", "http://127.0.0.1:8484/a"},
      {"//api.roaring.io/a", "//127.0.0.1:8484/a"},
      {"/a", "/a"},
      {"a", "a"},
      {"", ""},
      {"http://api.roaring.io/a", "http://api.roaring.io/a"},
      {"https://api.roaring.io:8443/a", "https://api.roaring.io:8443/a"},
      {"https://api.roaring.io.evil.example/a", "https://api.roaring.io.evil.example/a"},
      {"https://api.roaring.io@evil.example/a", "https://api.roaring.io@evil.example/a"},
      {"https://login.roaring.io/a", "https://login.roaring.io/a"},
      {"/a?next=https://api.roaring.io/b", "/a?next=https://api.roaring.io/b"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sent);
    for (const std::string name : {"Location", "content-location"}) {
      const auto response = response_of(302, name + ":" + row.sent + "\nContent-Length:0", length);
      CHECK(fields_of(served_head(response, reverse, origin, 0)) == name + ": " + row.served + "\nContent-Length: 0\n");
      CHECK(fields_of(served_head(response, get, origin, 0)) == name + ": " + row.sent + "\nContent-Length: 0\n");
    }
  }
}

TEST_CASE("nothing from a cassette adds a line to a head") {
  const std::vector<std::string> bad_values = {"a\r\nEvil: 1", "a\nEvil: 1", "a\rb", "a\0b"s, " a", "a\t", "\x7f"};
  for (const auto& value : bad_values) {
    CAPTURE(value);
    CHECK_FALSE(is_field_value(value));
    auto response = response_of(200, "Content-Length:1\nB:2", length);
    response.headers.add("Evil", value);
    response.headers.add("Location", value);
    response.reason = value;
    const auto head = served_head(response, reverse, origin, 1);
    CHECK(head == "HTTP/1.1 200 \r\nContent-Length: 1\r\nB: 2\r\n\r\n");
    CHECK(served_interim_head({103, value, response.headers}) == "HTTP/1.1 103 \r\nB: 2\r\n\r\n");
    CHECK(last_chunk(response.headers) == "0\r\nB: 2\r\n\r\n");
  }
  for (const auto& name : {""s, "a b"s, "a:"s, "a\r\nEvil"s, "å"s, "a\0"s}) {
    CAPTURE(name);
    CHECK_FALSE(is_field_name(name));
    auto response = response_of(200, "Content-Length:1", length);
    response.headers.add(name, "c");
    CHECK(fields_of(served_head(response, get, origin, 1)) == "Content-Length: 1\n");
  }
}

TEST_CASE("statuses that no final response has are served as 502, whole") {
  for (const int status : {-1, 0, 99, 100, 101, 199, 600, 99999}) {
    CAPTURE(status);
    const auto response = response_of(status, "Content-Length:1", length);
    CHECK(served_head(response, get, origin, 1) == "HTTP/1.1 502 \r\nContent-Length: 1\r\n\r\n");
    CHECK(served_framing(response, get) == BodyFraming::content_length);
  }
}

TEST_CASE("how a body goes out to the client") {
  struct FramingRow {
    std::string name;
    int status;
    BodyFraming recorded;
    ServedContext context;
    BodyFraming served;
  };
  const ServedContext head{.request_method = "HEAD"};
  const std::vector<FramingRow> rows = {
      {"length", 200, length, get, length},
      {"chunked", 200, chunked, get, chunked},
      {"until close", 200, until_close, get, chunked},
      {"none", 200, none, get, length},
      {"length to 1.0", 200, length, get_1_0, length},
      {"chunked to 1.0", 200, chunked, get_1_0, until_close},
      {"HEAD", 200, chunked, head, none},
      {"204", 204, length, get, none},
      {"304", 304, length, get_1_0, none},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(served_framing(response_of(row.status, "", row.recorded), row.context) == row.served);
  }
}

TEST_CASE("what is served passes our own scan") {
  const auto response = response_of(200, "Server:å\nContent-Type:application/json\nContent-Length:5\nX:", length);
  const auto bytes = served_head(response, get, origin, 5);
  ScannedHead head;
  REQUIRE(scan_response_head(bytes, {}, head).outcome == HeadScan::Outcome::complete);
  CHECK(head.head_bytes == bytes.size());
  CHECK(head.content_length == 5);
}

TEST_CASE("interim responses") {
  CHECK(served_interim_head({100, "Continue", {}}) == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(served_interim_head({103, "Early Hints", headers_of("Link:</a>\nContent-Length:5\nConnection:x")}) ==
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  for (const int status : {0, 99, 101, 200, 1000}) CHECK(served_interim_head({status, "X", {}}).empty());
}

TEST_CASE("what goes to the upstream") {
  struct ForwardRow {
    std::string name;
    std::string lines;
    BodyFraming framing;
    std::optional<std::uint64_t> body_bytes;
    std::string fields;
  };
  const std::vector<ForwardRow> rows = {
      {"Host of the proxy", "A:1\nhost:127.0.0.1:8484\nB:2", none, {}, "A: 1\nhost: api.roaring.io\nB: 2\n"},
      {"Host of the origin is left alone",
       "Host:API.roaring.io:443\nA:1",
       none,
       {},
       "Host: API.roaring.io:443\nA: 1\n"},
      {"Host with another port", "Host:api.roaring.io:80", none, {}, "Host: api.roaring.io\n"},
      {"no Host", "A:1", none, {}, "Host: api.roaring.io\nA: 1\n"},
      {"two Hosts", "Host:a\nHost:b", none, {}, "Host: api.roaring.io\n"},
      {"what is the proxy's own",
       "Host:a\nProxy-Authorization:Basic x\nProxy-Connection:keep-alive\nTapedeck-Session:alice\nA:1",
       none,
       {},
       "Host: api.roaring.io\nA: 1\n"},
      {"hop by hop",
       "Host:a\nConnection:close, X-Hop, Host, Authorization\nX-Hop:1\nAuthorization:Bearer "
       "x\nUpgrade:websocket\nTE:trailers",
       none,
       {},
       "Host: api.roaring.io\nAuthorization: Bearer x\n"},
      {"an expectation is passed on",
       "Host:a\nExpect:100-continue\nContent-Length:5",
       length,
       {},
       "Host: api.roaring.io\nExpect: 100-continue\nContent-Length: 5\n"},
      {"length", "Host:a\ncontent-length:5\nB:1", length, 7, "Host: api.roaring.io\ncontent-length: 7\nB: 1\n"},
      {"length of nothing", "Host:a\nContent-Length:0", length, {}, "Host: api.roaring.io\nContent-Length: 0\n"},
      {"chunks",
       "Host:a\nTransfer-Encoding:chunked\nB:1",
       chunked,
       {},
       "Host: api.roaring.io\nTransfer-Encoding: chunked\nB: 1\n"},
      {"framing without a body",
       "Host:a\nContent-Length:5\nTransfer-Encoding:chunked",
       none,
       {},
       "Host: api.roaring.io\n"},
      {"a field that would add a line", "Host:a\nA:b\rEvil: 1\nB:1", none, {}, "Host: api.roaring.io\nB: 1\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Request request;
    request.origin = origin;
    request.method = "POST";
    request.target = "/a?b";
    request.headers = headers_of(row.lines);
    request.body.framing = row.framing;
    const auto head = forwarded_head(request, row.body_bytes);
    CHECK(head.starts_with("POST /a?b HTTP/1.1\r\n"));
    CHECK(fields_of(head) == row.fields);
  }
}

TEST_CASE("a request that would break its own line is not written") {
  const auto head_of = [](std::string method, std::string target, std::string host) {
    Request request;
    request.origin = {"https", std::move(host), 443};
    request.method = std::move(method);
    request.target = std::move(target);
    return forwarded_head(request, std::nullopt);
  };
  CHECK(head_of("GET", "*", "::1") == "GET * HTTP/1.1\r\nHost: [::1]\r\n\r\n");
  CHECK(head_of("GET /x", "/", "a").empty());
  CHECK(head_of("", "/", "a").empty());
  CHECK(head_of("GET", "/ HTTP/1.1\r\nEvil: 1", "a").empty());
  CHECK(head_of("GET", "", "a").empty());
  CHECK(head_of("GET", "/", "a\r\nEvil: 1").empty());
}

TEST_CASE("the way to the upstream stands behind the client's fields") {
  Request request;
  request.origin = {"http", "api.roaring.io", 8080};
  request.method = "GET";
  request.target = "/a?b";
  request.headers = headers_of("Via:1.0 fred\nProxy-Authorization:Basic b3Vycw==");
  CHECK(forwarded_head(request, std::nullopt, {"1.1 tapedeck-00c0ffee", false, ""}) ==
        "GET /a?b HTTP/1.1\r\nHost: api.roaring.io:8080\r\nVia: 1.0 fred\r\nVia: 1.1 tapedeck-00c0ffee\r\n\r\n");
  request.headers = headers_of("Host:api.roaring.io:8080");
  CHECK(forwarded_head(request, std::nullopt, {"", true, "Basic dGhlaXJz"}) ==
        "GET http://api.roaring.io:8080/a?b HTTP/1.1\r\nHost: api.roaring.io:8080\r\n"
        "Proxy-Authorization: Basic dGhlaXJz\r\n\r\n");
  request.method = "OPTIONS";
  request.target = "*";
  CHECK(forwarded_head(request, std::nullopt, {"", true, ""}) ==
        "OPTIONS http://api.roaring.io:8080 HTTP/1.1\r\nHost: api.roaring.io:8080\r\n\r\n");
}

TEST_CASE("chunk framing") {
  CHECK(chunk_head(0) == "0\r\n");
  CHECK(chunk_head(26) == "1a\r\n");
  CHECK(chunk_head(SIZE_MAX) == "ffffffffffffffff\r\n");
  CHECK(last_chunk({}) == "0\r\n\r\n");
  const auto trailers = headers_of("Digest:a\nX:b\nContent-Length:5\nSet-Cookie:c");
  CHECK(last_chunk(trailers) == "0\r\nDigest: a\r\nX: b\r\n\r\n");
  CHECK(last_chunk(trailers, BodyForm::edited) == "0\r\nX: b\r\n\r\n");
}

TEST_CASE("end-to-end fields keep order, case and framing") {
  const auto kept = end_to_end_fields(headers_of("b:1\nConnection:x\nX:2\nContent-Length:5\nA:3\nb:4"));
  CHECK(kept == headers_of("b:1\nContent-Length:5\nA:3\nb:4"));
}
