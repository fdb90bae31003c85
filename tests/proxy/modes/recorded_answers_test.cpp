// What is remembered of requests and how it is forgotten, over a real cassette.

#include "proxy/modes/recorded_answers.hpp"

#include <doctest/doctest.h>

#include "tests/storage/cassette/cassette_fixture.hpp"

namespace tapedeck {

namespace {

using test::numbered;
using test::required;

struct Answers {
  test::TemporaryFolder folder;
  std::filesystem::path file = folder / "x.cassette";
  asio::io_context context{1};
  Options options;
  Redactor redactor{{}, Limits{}};
  MatchKeyMaker keys{{}};
  std::vector<Profile> profiles;
  RunStatistics statistics;
  std::unique_ptr<ReplayLibrary> library;
  std::unique_ptr<ReplayServices> services;
  std::unique_ptr<RecordedAnswers> answers;
  ScannedHead head;
  Origin origin{"https", "api.roaring.io", 443};

  explicit Answers(const std::vector<Exchange>& exchanges, SequencePolicy sequence = SequencePolicy::last,
                   std::size_t cache_bytes_max = 1024 * 1024) {
    test::record(file, exchanges);
    auto reader = required(CassetteReader::open(file));
    library = required(ReplayLibrary::build(*reader, keys, sequence));
    services.reset(new ReplayServices{options, redactor, keys, profiles, *library, statistics});
    auto turn_reader = std::make_unique<TurnReader>(context.get_executor(), std::move(reader));
    answers = std::make_unique<RecordedAnswers>(*services, std::move(turn_reader), cache_bytes_max);
  }

  // The body that is answered, by answer_at_once; "known: " in front of it if the request was known by its identity.
  std::string ask(const std::string& target, const std::string& identity) {
    if (const auto image = answers->known_answer(identity)) return "known: " + body_of(*image);
    const auto bytes = "GET " + target + " HTTP/1.1\r\nHost: api.roaring.io\r\n\r\n";
    REQUIRE(scan_request_head(bytes, options.limits, head).outcome == HeadScan::Outcome::complete);
    IncomingRequest request{head, {}, origin, target, WayIn::connect_tls, false, true, "https", "default", identity};
    const auto answer = answers->answer_at_once(request);
    context.poll();
    context.restart();
    if (const auto* image = std::get_if<std::shared_ptr<const WireImage>>(&answer)) return body_of(**image);
    const auto* miss = std::get_if<MissReport>(&answer);
    return miss ? miss->detail : "not at once";
  }
  std::string ask(const std::string& target) { return ask(target, target); }

  static std::string body_of(const WireImage& image) { return image.bytes.substr(image.bytes.find("\r\n\r\n") + 4); }
};

Exchange answered(std::string_view body, int number) {
  return test::ExchangeBuilder("GET", "/a")
      .response_body("text/plain", body)
      .numbers(static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(number))
      .build();
}

}  // namespace

TEST_CASE("a request is known by its identity from the fourth time on") {
  Answers answers({answered("one", 1)});
  CHECK(answers.ask("/a") == "one");
  CHECK_MESSAGE(answers.ask("/a") == "one", "its image is kept");
  CHECK_MESSAGE(answers.ask("/a") == "one", "it is remembered");
  CHECK(answers.ask("/a") == "known: one");
  CHECK_MESSAGE(answers.ask("/a", "another way here") == "one", "equal, but for its identity");
  CHECK(answers.ask("/a") == "known: one");
  CHECK(answers.statistics.snapshot().hits == 6);
}

TEST_CASE("a request without an identity is answered and never known") {
  Answers answers({answered("one", 1)});
  for (int i = 0; i < 5; ++i) CHECK(answers.ask("/a", "") == "one");
}

TEST_CASE("where a cursor moves each answer is chosen anew") {
  Answers answers({answered("one", 1), answered("two", 2)}, SequencePolicy::cycle);
  for (int round = 0; round < 4; ++round) {
    CHECK(answers.ask("/a") == "one");
    CHECK(answers.ask("/a") == "two");
  }
}

TEST_CASE("a recording that was added ends what is known") {
  Answers answers({answered("one", 1)});
  for (int i = 0; i < 4; ++i) answers.ask("/a");
  REQUIRE(answers.ask("/a") == "known: one");
  {
    auto writer = required(CassetteWriter::open(answers.file, {}));
    required(writer->begin_take(TakeKind::extend));
    StoredExchange added;
    added.exchange = answered("two", 1);
    added.id = required(test::append(*writer, {added.exchange}));
    added.take_ordinal = 2;
    test::require_ok(writer->end_take(TakeState::complete));
    test::require_ok(writer->close());
    answers.library->add(answers.keys.make(added.exchange.request), added);
  }
  CHECK(answers.ask("/a") == "two");
}

TEST_CASE("a recording that cannot be read does not bring back the one before it") {
  Answers answers({answered("one", 1)});
  for (int i = 0; i < 4; ++i) answers.ask("/a");
  REQUIRE(answers.ask("/a") == "known: one");
  StoredExchange added;
  added.exchange = answered("two", 1);
  added.id = 99;
  added.take_ordinal = 2;
  answers.library->add(answers.keys.make(added.exchange.request), added);
  for (int i = 0; i < 3; ++i) CHECK(answers.ask("/a").starts_with("the recording cannot be read"));
}

TEST_CASE("a head that would fill the memo is not remembered") {
  Answers answers({answered("one", 1)}, SequencePolicy::last, 100'000);
  const std::string long_identity(10'000, 'x');
  for (int i = 0; i < 6; ++i) CHECK(answers.ask("/a", long_identity) == "one");
  CHECK(answers.ask("/a") == "one");
  CHECK(answers.ask("/a") == "one");
  CHECK(answers.ask("/a") == "known: one");
}

TEST_CASE("images and what is known of requests share one bound") {
  constexpr std::size_t bytes_max = 100'000;
  std::vector<Exchange> exchanges;
  for (int n = 1; n <= 300; ++n) exchanges.push_back(numbered(n));
  Answers answers(exchanges, SequencePolicy::last, bytes_max);
  int known = 0;
  for (int round = 0; round < 6; ++round) {
    known = 0;
    for (int n = 1; n <= 300; ++n) known += answers.ask("/tapes/" + std::to_string(n)).starts_with("known") ? 1 : 0;
  }
  CHECK_MESSAGE(known < 300, "not all have room");
  CHECK(answers.answers->bytes() <= bytes_max);
}

}  // namespace tapedeck
