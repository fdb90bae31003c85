#include "storage/scan/long_body_scan.hpp"

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

constexpr std::size_t window = 1024 * 1024;
const std::string secret = "canary-of-the-scan-0123456789";

// Where in the whole body the named secret was found, when the body is read from a cassette by windows.
std::vector<std::uint64_t> places_found(const std::string& body, std::string_view coding, std::uint64_t bytes_max) {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  auto exchange = numbered(1);
  exchange.response->headers = {{"Content-Type", "text/plain"}};
  if (!coding.empty()) exchange.response->headers.add("Content-Encoding", coding);
  exchange.response->body.bytes = coding.empty() ? body : encode_content(*content_coding_of(coding), body);
  record(file, {exchange});

  auto reader = required(CassetteReader::open(file));
  const auto stored = required(reader->load(1, {true, true, false, 0}));
  const Redactor redactor({}, Limits{});
  const SecretScanner scanner(redactor, {LiteralSecret{secret, "secret"}}, Limits{});
  std::vector<std::uint64_t> places;
  required(scan_long_body(*reader, stored, Direction::response, scanner, bytes_max, [&](const Finding& finding) {
    if (finding.rule.starts_with("secret,")) places.push_back(finding.at);
  }));
  return places;
}

}  // namespace

TEST_CASE("A secret in a long body is found once, wherever it stands") {
  struct Row {
    const char* name;
    std::size_t at;
  };
  const Row rows[] = {
      {"at the beginning", 0},
      {"before a window's border", window - secret.size()},
      {"across a border", window - 5},
      {"at a border", window},
      {"in the overlap", window + 1000},
      {"across the end of the overlap", window + 64 * 1024 - 5},
      {"across a piece of the cassette", 3 * 64 * 1024 - 7},
      {"at the end", 3 * window - secret.size()},
  };
  for (const std::string_view coding : {"", "gzip", "br", "zstd"}) {
    for (const auto& row : rows) {
      CAPTURE(std::string(coding));
      INFO(std::string(row.name));
      std::string body(3 * window, ' ');
      body.replace(row.at, secret.size(), secret);
      CHECK(places_found(body, coding, UINT64_MAX) == std::vector<std::uint64_t>{row.at});
    }
  }
}

TEST_CASE("No more of a long body is looked at than is allowed") {
  std::string body(3 * window, ' ');
  body.replace(window, secret.size(), secret);
  CHECK(places_found(body, "", window / 2).empty());
}
