#include "storage/scan/scan_cassette.hpp"

#include <doctest/doctest.h>

#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

// What no rule covers, so that it is kept: a token of its own form in a note.
Exchange with_token(int number) {
  return ExchangeBuilder("GET", "/tapes/" + std::to_string(number))
      .response_json(R"({"note":"AKIAIOSFODNN7EXAMPLE"})")
      .numbers(static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(number))
      .build();
}

constexpr std::size_t body_bytes = sizeof(R"({"note":"AKIAIOSFODNN7EXAMPLE"})") - 1;

}  // namespace

TEST_CASE("all takes are scanned, or the newest alone, and no further than asked") {
  const TemporaryFolder folder;
  const auto file = folder / "a.cassette";
  record(file, {with_token(1), with_token(2), with_token(3)});
  record(file, {with_token(1), numbered(2), with_token(3)});
  auto reader = required(CassetteReader::open(file));
  const Redactor redactor({}, Limits{});
  const SecretScanner scanner(redactor, {}, Limits{});

  std::vector<std::int64_t> ids;
  const auto all = required(scan_cassette(*reader, scanner, {}, [&](std::int64_t id, const Finding& finding) {
    CHECK(finding.rule == "AWS access key");
    ids.push_back(id);
  }));
  CHECK(all.exchanges == 6);
  CHECK(all.secrets == 5);
  CHECK(all.warnings == 0);
  CHECK(!all.stopped_early);
  CHECK(ids == std::vector<std::int64_t>{1, 2, 3, 4, 6});

  const auto newest = required(scan_last_take(*reader, scanner, UINT64_MAX));
  CHECK(newest.exchanges == 3);
  CHECK(newest.secrets == 2);
  const auto first = required(scan_last_take(*reader, scanner, body_bytes));
  CHECK(first.exchanges == 1);
  CHECK(first.secrets == 1);
  CHECK(first.stopped_early);
}

TEST_CASE("a cassette without takes has no newest one") {
  const TemporaryFolder folder;
  const auto file = folder / "a.cassette";
  require_ok(required(CassetteWriter::open(file, {}))->close());
  auto reader = required(CassetteReader::open(file));
  const Redactor redactor({}, Limits{});
  CHECK(required(scan_last_take(*reader, SecretScanner(redactor, {}, Limits{}), UINT64_MAX)).exchanges == 0);
}
