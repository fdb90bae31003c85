// The way from live requests through redaction, cassette and reader to a hit, with the profile that is compiled in.

#include <filesystem>

#include <doctest/doctest.h>

#include "replay/serving/replay_session.hpp"
#include "storage/cassette/cassette_writer.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/replay/serving/temporary_folder.hpp"
#include "tests/support/exchange_builder.hpp"

namespace tapedeck {

using test::ExchangeBuilder;
using test::TemporaryFolder;

namespace {

struct Rules {
  std::vector<Profile> profiles{load_profile("roaring").value()};
  Redactor redactor{profiles, Limits{}};
  MatchKeyMaker keys{profiles};

  std::string asked(ReplayLibrary& library, const ExchangeBuilder& builder) const {
    auto request = builder.build().request;
    REQUIRE(redactor.redact_request(request).has_value());
    const auto* found = library.find(keys.make(request));
    if (found == nullptr) return "none";
    const auto result = library.next(*found, "default", conditions_of(request.headers));
    const auto* hit = std::get_if<Hit>(&result);
    return hit == nullptr ? "miss" : std::to_string(hit->exchange_id);
  }
};

std::int64_t record(const std::filesystem::path& file, const Redactor& redactor, TakeKind kind, TakeState end,
                    const std::vector<ExchangeBuilder>& builders) {
  auto writer = CassetteWriter::open(file, {}).value();
  REQUIRE(writer->begin_take(kind).has_value());
  std::int64_t first = 0;
  std::uint64_t number = 0;
  for (auto builder : builders) {
    ++number;
    const RecordingStep step = redactor.redact(builder.numbers(number, number).build()).value();
    const auto ids = writer->append({&step}).value();
    if (first == 0) first = ids.front();
  }
  REQUIRE(writer->end_take(end).has_value());
  REQUIRE(writer->close().has_value());
  return first;
}

ExchangeBuilder token(std::string_view form) {
  return ExchangeBuilder("POST", "/token").request_form(form);
}

}  // namespace

TEST_CASE("what was recorded with one pair of keys is found with another, either way of asking for a token") {
  const TemporaryFolder folder;
  const Rules rules;
  const auto overview = ExchangeBuilder("GET", "/company/1.0/company-overview?countryCode=SE&companyId=5500000012");
  auto recorded_token =
      token("grant_type=client_credentials").request_header("Authorization", "Basic a2V5OnNlY3JldA==");
  auto recorded_overview = overview;
  record(folder / "c", rules.redactor, TakeKind::replace, TakeState::complete,
         {recorded_token,
          recorded_overview.request_header("Authorization", "Bearer 6b1f6a0e-0000-4000-8000-000000000001")});

  auto reader = CassetteReader::open(folder / "c").value();
  const auto library = ReplayLibrary::build(*reader, rules.keys, SequencePolicy::sticky).value();
  CHECK(library->exchange_count() == 2);
  CHECK(library->origins() == std::vector<std::string>{"https://api.roaring.io"});
  const auto by_basic =
      token("grant_type=client_credentials").request_header("Authorization", "Basic b3RoZXI6b3RoZXI=");
  const auto by_form = token("client_id=another-key&client_secret=another-secret&grant_type=client_credentials");
  const auto id = rules.asked(*library, by_basic);
  CHECK(id != "none");
  CHECK(rules.asked(*library, by_form) == id);
  auto other_bearer = overview;
  CHECK(rules.asked(*library, other_bearer.request_header("Authorization", "Bearer anything-else")) != "none");
  CHECK(rules.asked(*library, token("grant_type=password&username=u&password=p")) == "none");
}

TEST_CASE("takes of a cassette: the newest complete one wins, what it lacks comes from others, extend goes on") {
  const TemporaryFolder folder;
  const Rules rules;
  const auto x = ExchangeBuilder("GET", "/x");
  const auto y = ExchangeBuilder("GET", "/y");
  const auto z = ExchangeBuilder("GET", "/z");
  const auto first = record(folder / "c", rules.redactor, TakeKind::replace, TakeState::complete, {x, y});
  const auto second = record(folder / "c", rules.redactor, TakeKind::replace, TakeState::complete, {x});
  const auto third = record(folder / "c", rules.redactor, TakeKind::extend, TakeState::complete, {x});
  const auto fourth = record(folder / "c", rules.redactor, TakeKind::replace, TakeState::interrupted, {x, z});

  auto reader = CassetteReader::open(folder / "c").value();
  const auto library = ReplayLibrary::build(*reader, rules.keys, SequencePolicy::error).value();
  CHECK(rules.asked(*library, x) == std::to_string(second));
  CHECK(rules.asked(*library, x) == std::to_string(third));
  CHECK(rules.asked(*library, x) == "miss");
  CHECK(rules.asked(*library, y) == std::to_string(first + 1));
  CHECK(library->unused().size() == 1);
  CHECK(rules.asked(*library, z) == std::to_string(fourth + 1));
  CHECK(library->unused().empty());
}

TEST_CASE("the head of the recorded response is known without its body") {
  const TemporaryFolder folder;
  const Rules rules;
  auto pdf = ExchangeBuilder("GET", "/report").response_body("application/pdf", "%PDF-1.7");
  const auto first =
      record(folder / "c", rules.redactor, TakeKind::replace, TakeState::complete,
             {pdf, ExchangeBuilder("GET", "/report"), ExchangeBuilder("GET", "/only-304").status(304, "Not Modified")});
  auto reader = CassetteReader::open(folder / "c").value();
  const auto library = ReplayLibrary::build(*reader, rules.keys, SequencePolicy::sticky).value();
  auto wants_json = ExchangeBuilder("GET", "/report");
  wants_json.raw().request.headers = {{"Accept", "application/json"}};
  CHECK(rules.asked(*library, wants_json) == std::to_string(first + 1));
  CHECK(rules.asked(*library, ExchangeBuilder("GET", "/only-304")) == "miss");
}

}  // namespace tapedeck
