#include "replay/serving/miss_explanation.hpp"

#include <doctest/doctest.h>

#include "replay/serving/replay_session.hpp"
#include "tests/support/exchange_builder.hpp"

namespace tapedeck {

using test::ExchangeBuilder;

namespace {

const MatchKeyMaker& keys() {
  static const MatchKeyMaker maker({});
  return maker;
}

StoredExchange stored(std::int64_t id, std::int64_t take_ordinal, const ExchangeBuilder& builder) {
  StoredExchange result;
  result.id = id;
  result.take_ordinal = take_ordinal;
  result.exchange = builder.build();
  return result;
}

std::unique_ptr<ReplayLibrary> library_of(const std::vector<ExchangeBuilder>& builders,
                                          SequencePolicy policy = SequencePolicy::sticky) {
  Take take;
  take.ordinal = 1;
  take.state = TakeState::complete;
  std::vector<StoredExchange> exchanges;
  for (const auto& builder : builders) {
    const auto number = static_cast<std::int64_t>(exchanges.size() + 1);
    exchanges.push_back(stored(number, 1, builder));
    exchanges.back().exchange.finished_number = static_cast<std::uint64_t>(number);
  }
  return ReplayLibrary::of({take}, exchanges, keys(), policy);
}

MissReport explained(const ReplayLibrary& library, const ExchangeBuilder& request) {
  return library.explain_miss(keys().make(request.build().request), "the request line");
}

ExchangeBuilder get(std::string_view target) {
  return ExchangeBuilder("GET", target);
}
ExchangeBuilder post(std::string_view target) {
  return ExchangeBuilder("POST", target);
}

std::string ids(const MissReport& report) {
  std::string text;
  for (const auto& near : report.nearest) text += (text.empty() ? "" : " ") + std::to_string(near.exchange_id);
  return text;
}

const std::string record_it = "record it: `tapedeck auto` adds to the cassette what is missing";

}  // namespace

TEST_CASE("the reason of a miss, what is nearest, and the mend") {
  struct Row {
    std::string name;
    std::vector<ExchangeBuilder> recorded;
    ExchangeBuilder requested;
    std::string_view reason;
    std::string nearest;
    std::string detail;
    std::string suggestion;
  };
  const Row rows[] = {
      {"nothing is recorded", {}, get("/x"), "empty-cassette", "", "The cassette holds no recordings.", record_it},
      {"another host",
       {get("/x"), get("/y")},
       get("/x").origin("https", "b.io", 443),
       "no-host",
       "1 2",
       "Nothing is recorded for https://b.io. Recorded: https://api.roaring.io.",
       record_it},
      {"another scheme is another host",
       {get("/x")},
       get("/x").origin("http", "api.roaring.io", 80),
       "no-host",
       "1",
       "Nothing is recorded for http://api.roaring.io. Recorded: https://api.roaring.io.",
       record_it},
      {"another path",
       {get("/company/2.0/other"), get("/company/1.0/overview"), get("/z")},
       get("/company/1.0/overveiw"),
       "no-path",
       "2 1 3",
       "Nothing is recorded for the path /company/1.0/overveiw of https://api.roaring.io; the nearest is GET "
       "https://api.roaring.io/company/1.0/overview.",
       record_it},
      {"another method",
       {get("/x"), post("/x"), get("/y")},
       ExchangeBuilder("PUT", "/x"),
       "no-method",
       "2 1 3",
       "PUT is not recorded for https://api.roaring.io/x, only GET, POST.",
       record_it},
      {"a value of the query",
       {get("/x?companyId=1&a=2"), get("/x?companyId=2&a=2"), get("/y")},
       get("/x?companyId=2&a=1"),
       "differs",
       "2 1",
       "The nearest recording of GET https://api.roaring.io/x differs in query a (recorded 2, requested 1).",
       R"(to let the nearest recording answer, add to the profile "matching": [{"kind": "ignore_query", "key": "a"}]; or )" +
           record_it},
      {"a member that is only requested",
       {post("/x").request_json(R"({"ids":[1,2]})")},
       post("/x").request_json(R"({"ids":[1,2],"requestKey":"k"})"),
       "differs",
       "1",
       "The nearest recording of POST https://api.roaring.io/x differs in body $.requestKey (recorded nothing, "
       "requested \"k\").",
       R"(to let the nearest recording answer, add to the profile "matching": [{"kind": "ignore_json", "key": "requestKey"}]; or )" +
           record_it},
      {"two elements of one array are one rule",
       {post("/x").request_json(R"({"ids":[1,2]})")},
       post("/x").request_json(R"({"ids":[3,4]})"),
       "differs",
       "1",
       "The nearest recording of POST https://api.roaring.io/x differs in body $.ids[0] (recorded 1, requested "
       "3) and 1 more.",
       R"(to let the nearest recording answer, add to the profile "matching": [{"kind": "ignore_json", "key": "ids"}]; or )" +
           record_it},
      {"a form",
       {post("/x").request_form("a=1&nonce=1")},
       post("/x").request_form("a=1&nonce=2"),
       "differs",
       "1",
       "The nearest recording of POST https://api.roaring.io/x differs in form nonce (recorded 1, requested "
       "2).",
       R"(to let the nearest recording answer, add to the profile "matching": [{"kind": "ignore_form", "key": "nonce"}]; or )" +
           record_it},
      {"a key with quotes",
       {get("/x?a%22=1")},
       get("/x?a%22=2"),
       "differs",
       "1",
       "The nearest recording of GET https://api.roaring.io/x differs in query a\" (recorded 1, requested 2).",
       R"(to let the nearest recording answer, add to the profile "matching": [{"kind": "ignore_query", "key": "a\""}]; or )" +
           record_it},
      {"what no rule mends",
       {get("/x")},
       get("/x").request_header("Range", "bytes=0-1"),
       "differs",
       "1",
       "The nearest recording of GET https://api.roaring.io/x differs in header Range (recorded nothing, requested "
       "bytes=0-1).",
       record_it},
      {"an element of a bare array",
       {post("/x").request_json("[1]")},
       post("/x").request_json("[2]"),
       "differs",
       "1",
       "The nearest recording of POST https://api.roaring.io/x differs in body $[0] (recorded 1, requested 2).",
       record_it},
      {"only answers to conditional requests",
       {get("/x").status(304, "Not Modified")},
       get("/x"),
       "differs",
       "1",
       "What is recorded for GET https://api.roaring.io/x answers only conditional or range requests (304, 412, 206), "
       "and this is none.",
       record_it},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto library = library_of(row.recorded);
    const auto report = explained(*library, row.requested);
    CHECK(miss_reason_text(report.reason) == row.reason);
    CHECK(ids(report) == row.nearest);
    CHECK(report.detail == row.detail);
    CHECK(report.suggestion == row.suggestion);
    CHECK(report.request_line == "the request line");
  }
}

TEST_CASE("an exhausted sequence tells how often its recordings were served") {
  const auto library = library_of({get("/x"), get("/x")}, SequencePolicy::error);
  const auto request = get("/x").build().request;
  const auto* found = library->find(keys().make(request));
  for (int i = 0; i < 2; ++i) CHECK(std::holds_alternative<Hit>(library->next(*found, "default", {})));
  CHECK(std::get<MissReason>(library->next(*found, "default", {})) == MissReason::exhausted);
  const auto report = explained(*library, get("/x"));
  CHECK(report.reason == MissReason::exhausted);
  CHECK(ids(report) == "2 1");
  CHECK(report.nearest.at(0).used == 1);
  CHECK(report.nearest.at(0).differences.empty());
  CHECK(report.nearest.at(0).session == "default");
  CHECK(report.nearest.at(0).take_ordinal == 1);
  CHECK(report.nearest.at(0).recorded_at_us == 1'700'000'000'000'000);
  CHECK(report.nearest.at(0).request_line == "GET https://api.roaring.io/x");
  CHECK(report.suggestion.starts_with("let the recordings repeat with --sequence sticky"));
}

TEST_CASE("among many bodies the nearest is found") {
  std::vector<ExchangeBuilder> recorded;
  for (int i = 0; i < 300; ++i) {
    recorded.push_back(post("/x").request_json(R"({"companyIds":[")" + std::to_string(1000 + i) + R"("],"z":)" +
                                               std::to_string(i) + "}"));
  }
  const auto report = explained(*library_of(recorded), post("/x").request_json(R"({"companyIds":["1123"],"z":7})"));
  REQUIRE(report.nearest.size() == 3);
  CHECK(report.nearest[0].exchange_id == 124);
  REQUIRE(report.nearest[0].differences.size() == 1);
  CHECK(report.nearest[0].differences[0].field == "body $.z");
}

TEST_CASE("what a run added is nearest as well") {
  const auto library = library_of({get("/x?a=1&b=1")});
  const auto added = get("/x?a=2&b=2");
  library->add(keys().make(added.build().request), stored(9, 2, added));
  const auto report = explained(*library, get("/x?a=2&b=3"));
  CHECK(ids(report) == "9 1");
}

}  // namespace tapedeck
