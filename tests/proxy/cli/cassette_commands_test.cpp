// list, show and takes over real cassettes.

#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "proxy/cli/commands.hpp"
#include "storage/cassette/cassette_writer.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/proxy/tls/tls_support.hpp"
#include "tests/support/exchange_builder.hpp"

using namespace tapedeck;
using tapedeck::test::ExchangeBuilder;
using tapedeck::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

void record(const fs::path& file, const std::vector<ExchangeBuilder>& builders, TakeKind kind = TakeKind::replace) {
  const Redactor redactor({}, Limits{});
  auto writer = CassetteWriter::open(file, {}).value();
  REQUIRE(writer->begin_take(kind).has_value());
  std::uint64_t number = 0;
  for (ExchangeBuilder builder : builders) {
    ++number;
    auto exchange = redactor.redact(builder.numbers(number, number).build());
    REQUIRE(exchange.has_value());
    const RecordingStep step = std::move(*exchange);
    const auto kept = writer->append({&step});
    REQUIRE_MESSAGE(kept.has_value(), kept.error().detail);
  }
  REQUIRE(writer->end_take(TakeState::complete).has_value());
  REQUIRE(writer->close().has_value());
}

struct Said {
  int exit_code = 0;
  std::string out;
  std::string err;
};

template <class Command>
Said said(int (*run)(const Command&, std::ostream&, std::ostream&), const Command& command) {
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = run(command, out, err);
  return {exit_code, out.str(), err.str()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Said show(const fs::path& file, std::int64_t id, bool raw = false) {
  return said(show_exchange, ShowCommand{file, id, raw});
}

std::int64_t first_id(const fs::path& file) {
  const Said listed = said(list_exchanges, ListCommand{file, std::nullopt, true, 0});
  return nlohmann::json::parse(lines_of(listed.out).at(0)).at("id").get<std::int64_t>();
}

}  // namespace

TEST_CASE("list is a line for each exchange, with its number first and its URL last") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file,
         {ExchangeBuilder("GET", "/tapes/1"),
          ExchangeBuilder("POST", "/tapes").status(404, "Not Found").session("alice").no_response_body(),
          ExchangeBuilder("GET", "/gone").failure(NetworkFailure::Phase::connect, NetworkFailure::Kind::refused)});
  const Said listed = said(list_exchanges, ListCommand{file, std::nullopt, false, 0});
  CHECK(listed.exit_code == 0);
  CHECK(listed.err.empty());
  const auto lines = lines_of(listed.out);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "    ID  TAKE  STARTED (UTC)        SESSION     OUTCOME               SIZE      TIME  REQUEST");
  const std::string id = std::to_string(first_id(file));
  CHECK(lines[1] == std::string(6 - id.size(), ' ') + id +
                        "     1  2023-11-14 22:13:20  default     200                   10 B     25 ms  GET "
                        "https://api.roaring.io/tapes/1");
  CHECK(lines[2].find("  alice       404                    0 B     25 ms  POST https://api.roaring.io/tapes") !=
        std::string::npos);
  CHECK(lines[3].find("  connect refused          -     25 ms  GET https://api.roaring.io/gone") != std::string::npos);

  const Said narrow = said(list_exchanges, ListCommand{file, std::nullopt, false, 60});
  CHECK(lines_of(narrow.out)[1].size() == 59 + std::string("…").size());
}

TEST_CASE("list as JSON is one object a line") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file, {ExchangeBuilder("GET", "/tapes/1")});
  record(file,
         {ExchangeBuilder("GET", "/gone").failure(NetworkFailure::Phase::resolve, NetworkFailure::Kind::not_found)});
  const auto lines = lines_of(said(list_exchanges, ListCommand{file, std::nullopt, true, 0}).out);
  REQUIRE(lines.size() == 2);
  const auto first = nlohmann::json::parse(lines[0]);
  CHECK(first["take"] == 1);
  CHECK(first["started_at"] == "2023-11-14T22:13:20.000Z");
  CHECK(first["method"] == "GET");
  CHECK(first["url"] == "https://api.roaring.io/tapes/1");
  CHECK(first["status"] == 200);
  CHECK(first["response_bytes"] == 10);
  CHECK(first["duration_us"] == 25000);
  CHECK(first["state"] == "whole");
  const auto second = nlohmann::json::parse(lines[1]);
  CHECK(second["take"] == 2);
  CHECK(second["status"].is_null());
  CHECK(second["failure"]["kind"] == "not-found");
  const auto of_take = lines_of(said(list_exchanges, ListCommand{file, 2, true, 0}).out);
  REQUIRE(of_take.size() == 1);
  CHECK(of_take[0] == lines[1]);
  CHECK(said(list_exchanges, ListCommand{file, 9, false, 0}).out == "there are no exchanges of that take\n");
}

TEST_CASE("show is the exchange as HTTP, its JSON laid out") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file,
         {ExchangeBuilder("POST", "/v1/search?q=å").request_json(R"({"name":"x"})").response_json(R"({"n":1e3})")});
  const std::int64_t id = first_id(file);
  const Said shown = show(file, id);
  CHECK(shown.exit_code == 0);
  CHECK(shown.out == "# exchange " + std::to_string(id) +
                         " of take 1, session default, connect-tls\n"
                         "# 2023-11-14T22:13:20.000Z, first byte after 20 ms, end after 25 ms\n"
                         "\n"
                         "POST https://api.roaring.io/v1/search?q=å HTTP/1.1\n"
                         "Host: api.roaring.io\n"
                         "Accept: */*\n"
                         "Content-Type: application/json\n"
                         "Content-Length: 12\n"
                         "\n"
                         "{\n"
                         "  \"name\": \"x\"\n"
                         "}\n"
                         "\n"
                         "HTTP/1.1 200 OK\n"
                         "Content-Type: application/json\n"
                         "Content-Length: 9\n"
                         "\n"
                         "{\n"
                         "  \"n\": 1e3\n"
                         "}\n");
  CHECK(show(file, id, true).out == R"({"n":1e3})");
}

TEST_CASE("a network failure and what is no text are told in a note") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file, {ExchangeBuilder("GET", "/pdf").response_body("application/pdf", std::string("%PDF\0\x1b", 6))});
  record(file, {ExchangeBuilder("GET", "/gone")
                    .failure(NetworkFailure::Phase::connect, NetworkFailure::Kind::refused, "ECONNREFUSED")});
  const std::int64_t id = first_id(file);
  CHECK(show(file, id).out.find("# a body of 6 B that is no text; tapedeck show " + std::to_string(id) +
                                " --raw writes it\n") != std::string::npos);
  CHECK(show(file, id, true).out == std::string("%PDF\0\x1b", 6));
  const Said failed = show(file, id + 1);
  CHECK(failed.out.find("# connect refused on the side of the upstream (ECONNREFUSED)\n") != std::string::npos);
  const Said raw = show(file, id + 1, true);
  CHECK(raw.exit_code == 1);
  CHECK(raw.err == "tapedeck: error: exchange " + std::to_string(id + 1) +
                       " has no response (connect refused); leave --raw out to see what it has\n");
}

TEST_CASE("nothing that a cassette holds can steer a terminal") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file, {ExchangeBuilder("GET",
                                "/a\xc2\x9b"
                                "1m")
                    .status(200, "O\x1bK")
                    .response_header("X-Evil", "\x1b]0;title\x07")
                    .response_body("text/plain", "\x1b[31mred")});
  for (const std::string& shown :
       {said(list_exchanges, ListCommand{file, std::nullopt, false, 0}).out,
        said(list_exchanges, ListCommand{file, std::nullopt, true, 0}).out, show(file, first_id(file)).out}) {
    CAPTURE(shown);
    CHECK(!shown.empty());
    CHECK(shown.find('\x1b') == std::string::npos);
    CHECK(shown.find("\xc2\x9b") == std::string::npos);
    CHECK(shown.find('\x07') == std::string::npos);
  }
}

TEST_CASE("an exchange that is not there is refused with the command that lists them") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file, {ExchangeBuilder()});
  const Said shown = show(file, 4711);
  CHECK(shown.exit_code == 1);
  CHECK(shown.out.empty());
  CHECK(shown.err ==
        "tapedeck: error: there is no exchange 4711 in " + file.string() + "; tapedeck list prints the IDs\n");
}

TEST_CASE("takes are listed, and the newest is dropped on demand") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file, {ExchangeBuilder(), ExchangeBuilder()});
  record(file, {ExchangeBuilder()}, TakeKind::extend);
  const auto lines = lines_of(said(list_or_drop_takes, TakesCommand{file, false, false}).out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "TAKE  KIND          STATE        STARTED (UTC)        EXCHANGES  VERSION");
  CHECK(lines[1].find("   1  replace       complete     20") == 0);
  CHECK(lines[1].find("          2  ") != std::string::npos);
  CHECK(lines[2].find("   2  extend of 1   complete     20") == 0);
  const auto json = lines_of(said(list_or_drop_takes, TakesCommand{file, false, true}).out);
  REQUIRE(json.size() == 2);
  CHECK(nlohmann::json::parse(json[1])["parent"] == 1);
  CHECK(nlohmann::json::parse(json[0])["exchanges"] == 2);

  const Said dropped = said(list_or_drop_takes, TakesCommand{file, true, false});
  CHECK(dropped.exit_code == 0);
  CHECK(dropped.out == "dropped take 2 of " + file.string() + "\n");
  CHECK(lines_of(said(list_or_drop_takes, TakesCommand{file, false, false}).out).size() == 2);
}

TEST_CASE("scan tells what is left, never the value, and its exit code says whether there is something") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.cassette";
  record(file,
         {ExchangeBuilder("GET", "/clean"),
          ExchangeBuilder("GET", "/left").response_json(R"({"note":"AKIAIOSFODNN7EXAMPLE","more":"hunter2hunter2"})")});
  const std::int64_t id = first_id(file) + 1;
  const Said plain = said(scan_for_secrets, ScanCommand{file, {}, false});
  CHECK(plain.exit_code == 5);
  CHECK(plain.out == "exchange " + std::to_string(id) +
                         ": secret: response body, byte 9: AWS access key: \"AKI…\" (20 bytes)\n"
                         "2 exchanges: 1 secret, 0 warnings\n");
  CHECK(plain.err.find("tapedeck: error: 1 value looks like a secret; ") == 0);

  const Said as_json = said(scan_for_secrets, ScanCommand{file, {{"hunter2hunter2", "secret"}}, true});
  CHECK(as_json.exit_code == 5);
  const auto lines = lines_of(as_json.out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == R"({"exchange":)" + std::to_string(id) +
                        R"(,"kind":"secret","place":"response body, byte 39","rule":"secret, as it is",)"
                        R"("value_start":"hun","value_bytes":14})");

  record(folder.path() / "b.cassette", {ExchangeBuilder("GET", "/clean")});
  const Said clean = said(scan_for_secrets, ScanCommand{folder.path() / "b.cassette", {}, false});
  CHECK(clean.exit_code == 0);
  CHECK(clean.out == "1 exchange: 0 secrets, 0 warnings\n");
  CHECK(clean.err.empty());
  CHECK(said(scan_for_secrets, ScanCommand{folder.path() / "none.cassette", {}, false}).exit_code == 1);
}

TEST_CASE("a cassette that is not there is named in one line by every command") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "missing.cassette";
  for (const Said& done : {said(list_exchanges, ListCommand{file, std::nullopt, false, 0}), show(file, 1),
                           said(list_or_drop_takes, TakesCommand{file, false, false}),
                           said(list_or_drop_takes, TakesCommand{file, true, false})}) {
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(lines_of(done.err).size() == 1);
    CHECK(done.err.find("tapedeck: error: ") == 0);
    CHECK(done.err.find(file.string()) != std::string::npos);
  }
  CHECK(!fs::exists(file));
}
