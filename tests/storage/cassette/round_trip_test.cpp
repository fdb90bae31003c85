// What is written comes back equal, field by field.

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "storage/cassette/schema.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

Exchange with_everything_set() {
  Exchange exchange;
  exchange.session = "alice";
  exchange.initiator = Initiator::inbound;
  exchange.way_in = WayIn::absolute_form;
  exchange.client_protocol = "HTTP/1.0";
  exchange.upstream_protocol = "HTTP/1.1";
  exchange.state = ExchangeState::cut;
  exchange.cut_by_client = true;
  exchange.started_at_us = 1'700'000'000'123'456;
  exchange.request_sent_us = 11;
  exchange.first_byte_us = 22;
  exchange.finished_us = 33;
  exchange.started_number = 4;
  exchange.finished_number = 5;
  exchange.request = {{"http", "::1", 8080},
                      "POST",
                      "/a%2Fb//c?x=1&x=2&\xc3\xa5",
                      {{"Host", "[::1]:8080"}, {"X-Twice", "one"}, {"x-tWICE", ""}, {"X-Raw", "\xe5\xe4\xf6 \t!"}},
                      {std::string("\0\x01\xff binary", 10), BodyForm::edited, BodyFraming::chunked},
                      {{"X-Sum", "1"}}};
  exchange.response.emplace();
  *exchange.response = {206,
                        "Partially \xe4",
                        {{"content-type", "text/plain"}, {"ETag", "\"a\""}, {"ETag", "\"b\""}},
                        {"answer", BodyForm::identity, BodyFraming::until_close},
                        {{"X-Sum", "2"}, {"X-Sum", "3"}},
                        {{103, "Early Hints", {{"Link", "</a.css>"}, {"Link", "</b.css>"}}}, {100, "", {}}}};
  exchange.failure = NetworkFailure{NetworkFailure::Phase::read_response, NetworkFailure::Kind::reset,
                                    NetworkFailure::Side::upstream, "ECONNRESET", 6};
  exchange.events = {{Direction::request, ExchangeEvent::Kind::body_chunk, 7, 0, 10},
                     {Direction::response, ExchangeEvent::Kind::body_chunk, 8, 0, 4},
                     {Direction::response, ExchangeEvent::Kind::body_chunk, 9, 4, 2}};
  return exchange;
}

void check_equal(const Body& left, const Body& right) {
  CHECK(left.bytes == right.bytes);
  CHECK(left.form == right.form);
  CHECK(left.framing == right.framing);
}

void check_equal(const Request& left, const Request& right) {
  CHECK(left.origin == right.origin);
  CHECK(left.method == right.method);
  CHECK(left.target == right.target);
  CHECK(left.headers == right.headers);
  check_equal(left.body, right.body);
  CHECK(left.trailers == right.trailers);
}

void check_equal(const Response& left, const Response& right) {
  CHECK(left.status == right.status);
  CHECK(left.reason == right.reason);
  CHECK(left.headers == right.headers);
  check_equal(left.body, right.body);
  CHECK(left.trailers == right.trailers);
  REQUIRE(left.interim.size() == right.interim.size());
  for (std::size_t i = 0; i < left.interim.size(); ++i) {
    CHECK(left.interim[i].status == right.interim[i].status);
    CHECK(left.interim[i].reason == right.interim[i].reason);
    CHECK(left.interim[i].headers == right.interim[i].headers);
  }
}

void check_equal(const NetworkFailure& left, const NetworkFailure& right) {
  CHECK(left.phase == right.phase);
  CHECK(left.kind == right.kind);
  CHECK(left.side == right.side);
  CHECK(left.code == right.code);
  CHECK(left.response_bytes == right.response_bytes);
}

void check_equal(const Exchange& left, const Exchange& right) {
  CHECK(left.session == right.session);
  CHECK(left.initiator == right.initiator);
  CHECK(left.way_in == right.way_in);
  CHECK(left.client_protocol == right.client_protocol);
  CHECK(left.upstream_protocol == right.upstream_protocol);
  CHECK(left.state == right.state);
  CHECK(left.cut_by_client == right.cut_by_client);
  CHECK(left.started_at_us == right.started_at_us);
  CHECK(left.request_sent_us == right.request_sent_us);
  CHECK(left.first_byte_us == right.first_byte_us);
  CHECK(left.finished_us == right.finished_us);
  CHECK(left.started_number == right.started_number);
  CHECK(left.finished_number == right.finished_number);
  check_equal(left.request, right.request);
  REQUIRE(left.response.has_value() == right.response.has_value());
  if (left.response) check_equal(*left.response, *right.response);
  REQUIRE(left.failure.has_value() == right.failure.has_value());
  if (left.failure) check_equal(*left.failure, *right.failure);
  REQUIRE(left.events.size() == right.events.size());
  for (std::size_t i = 0; i < left.events.size(); ++i) {
    CHECK(left.events[i].direction == right.events[i].direction);
    CHECK(left.events[i].kind == right.events[i].kind);
    CHECK(left.events[i].time_us == right.events[i].time_us);
    CHECK(left.events[i].offset == right.events[i].offset);
    CHECK(left.events[i].length == right.events[i].length);
  }
}

// What load_answer gives, of what was recorded.
void check_answer(const StoredExchange& answer, const Exchange& recorded) {
  CHECK(answer.exchange.state == recorded.state);
  CHECK(answer.exchange.started_at_us == recorded.started_at_us);
  CHECK(answer.exchange.first_byte_us == recorded.first_byte_us);
  CHECK(answer.exchange.finished_us == recorded.finished_us);
  CHECK(answer.exchange.request.origin == recorded.request.origin);
  CHECK(answer.exchange.request.target == recorded.request.target);
  CHECK(answer.exchange.request.headers.empty());
  REQUIRE(answer.exchange.response.has_value() == recorded.response.has_value());
  if (recorded.response) check_equal(*answer.exchange.response, *recorded.response);
  REQUIRE(answer.exchange.failure.has_value() == recorded.failure.has_value());
  if (recorded.failure) check_equal(*answer.exchange.failure, *recorded.failure);
  CHECK(answer.response_body.size == (recorded.response ? recorded.response->body.bytes.size() : 0));
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

std::int64_t count(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  const auto value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return value;
}

}  // namespace

TEST_CASE("An exchange comes back equal") {
  const struct {
    const char* name;
    Exchange exchange;
  } rows[] = {
      {"everything set", with_everything_set()},
      {"nothing but what is needed", ExchangeBuilder().no_response_body().build()},
      {"a failure in place of a response",
       ExchangeBuilder()
           .failure(NetworkFailure::Phase::resolve, NetworkFailure::Kind::not_found, "EAI_NONAME")
           .build()},
      {"cut by the client", ExchangeBuilder().cut_by_client().build()},
      {"the same bytes both ways", ExchangeBuilder("PUT", "/").request_json("{}").response_json("{}").build()},
      {"target of OPTIONS", ExchangeBuilder("OPTIONS", "*").build()},
  };
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    const TemporaryFolder folder;
    record(folder / "x.cassette", {row.exchange});
    auto reader = required(CassetteReader::open(folder / "x.cassette"));
    const auto all = all_of(*reader);
    REQUIRE(all.size() == 1);
    CHECK(all[0].take_ordinal == 1);
    check_equal(all[0].exchange, row.exchange);
    check_equal(required(reader->load(all[0].id, {true, true, true})).exchange, row.exchange);
    check_answer(required(answer_of(*reader, all[0].id, body_memory_bytes_max)), row.exchange);
    require_ok(reader->check_integrity());
  }
}

// Kept for ever: whoever changes the format must still read what was recorded before.
TEST_CASE("A cassette of format 1 that was recorded long ago reads as it did") {
  const auto golden = std::filesystem::path(__FILE__).parent_path() / "golden/format-1.cassette";
  auto reader = required(CassetteReader::open(golden));
  CHECK(reader->uuid() == "01010101-0101-4101-8101-010101010101");
  const auto takes = required(reader->takes());
  REQUIRE(takes.size() == 1);
  CHECK(takes[0].started_at_us == 1'700'000'000'000'001);
  const auto all = all_of(*reader);
  REQUIRE(all.size() == 2);
  CHECK(all[0].uuid == "04040404-0404-4404-8404-040404040404");
  check_equal(all[0].exchange, ExchangeBuilder().build());
  check_equal(all[1].exchange, with_everything_set());
  require_ok(reader->check_integrity());
}

TEST_CASE("Every word of the format comes back") {
  std::vector<Exchange> exchanges;
  const auto add = [&](const auto& change) {
    auto exchange = with_everything_set();
    exchange.finished_number = exchanges.size() + 1;
    change(exchange);
    exchanges.push_back(exchange);
  };
  for (int i = 0; i < 5; ++i) add([&](Exchange& x) { x.way_in = static_cast<WayIn>(i); });
  for (const auto state : {ExchangeState::whole, ExchangeState::cut}) add([&](Exchange& x) { x.state = state; });
  for (int i = 0; i < 3; ++i) add([&](Exchange& x) { x.request.body.form = static_cast<BodyForm>(i); });
  for (int i = 0; i < 4; ++i) add([&](Exchange& x) { x.request.body.framing = static_cast<BodyFraming>(i); });
  for (int i = 0; i < 6; ++i) add([&](Exchange& x) { x.failure->phase = static_cast<NetworkFailure::Phase>(i); });
  for (int i = 0; i < 9; ++i) add([&](Exchange& x) { x.failure->kind = static_cast<NetworkFailure::Kind>(i); });
  for (int i = 0; i < 2; ++i) add([&](Exchange& x) { x.failure->side = static_cast<NetworkFailure::Side>(i); });

  const TemporaryFolder folder;
  record(folder / "x.cassette", exchanges);
  const auto all = all_of(*required(CassetteReader::open(folder / "x.cassette")));
  REQUIRE(all.size() == exchanges.size());
  for (std::size_t i = 0; i < all.size(); ++i) check_equal(all[i].exchange, exchanges[i]);
}

TEST_CASE("Bodies of every size come back, cut into pieces") {
  const TemporaryFolder folder;
  std::vector<std::size_t> sizes{0,
                                 1,
                                 body_piece_bytes - 1,
                                 body_piece_bytes,
                                 body_piece_bytes + 1,
                                 2 * body_piece_bytes,
                                 5 * body_piece_bytes + 17,
                                 3'000'000};
  std::vector<Exchange> exchanges;
  for (const auto size : sizes) {
    exchanges.push_back(ExchangeBuilder().response_body("application/octet-stream", pattern(size)).build());
    exchanges.back().finished_number = exchanges.size();
  }
  record(folder / "x.cassette", exchanges);
  auto reader = required(CassetteReader::open(folder / "x.cassette"));
  const auto all = all_of(*reader);
  REQUIRE(all.size() == sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CAPTURE(sizes[i]);
    CHECK(all[i].exchange.response->body.bytes == pattern(sizes[i]));
    check_answer(required(answer_of(*reader, all[i].id, sizes[i])), exchanges[i]);
    if (sizes[i] == 0) continue;
    const auto bodiless = required(answer_of(*reader, all[i].id, sizes[i] - 1));
    CHECK(bodiless.response_body_stays());
    CHECK(bodiless.response_body.size == sizes[i]);
    CHECK(bodiless.exchange.response->body.bytes.empty());
  }
  require_ok(reader->check_integrity());
}

TEST_CASE("Equal bodies are kept once, over takes and directions") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto exchange = ExchangeBuilder("PUT", "/").request_json("[1]").response_json("[1]").build();
  record(file, {exchange, exchange, ExchangeBuilder().response_json("[2]").build()});
  record(file, {exchange});
  CHECK(count(file, "SELECT count(*) FROM bodies") == 2);
  CHECK(count(file, "SELECT count(*) FROM exchanges") == 4);
}

TEST_CASE("Only the parts that are asked for are loaded") {
  const TemporaryFolder folder;
  record(folder / "x.cassette", {with_everything_set()});
  auto reader = required(CassetteReader::open(folder / "x.cassette"));
  const auto none = all_of(*reader, {false, false, false}).at(0).exchange;
  CHECK(none.request.body.bytes.empty());
  CHECK(none.response->body.bytes.empty());
  CHECK(none.events.empty());
  CHECK_FALSE(all_of(*reader, {true, false, false}).at(0).exchange.request.body.bytes.empty());
  CHECK_FALSE(all_of(*reader, {false, true, false}).at(0).exchange.response->body.bytes.empty());
  CHECK(all_of(*reader, {false, false, true}).at(0).exchange.events.size() == 3);
}

TEST_CASE("Exchanges are visited by take and finished number, until the visitor has enough") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  record(file, {numbered(2), numbered(3), numbered(1)});
  record(file, {numbered(5), numbered(4)});
  CHECK(targets_in(file) == std::vector<std::string>{"/tapes/1", "/tapes/2", "/tapes/3", "/tapes/4", "/tapes/5"});

  auto reader = required(CassetteReader::open(file));
  int visited = 0;
  require_ok(reader->for_each({}, [&](StoredExchange&& stored) {
    // A visitor may load while it visits.
    CHECK(required(reader->load(stored.id, {})).exchange.request.target == stored.exchange.request.target);
    return ++visited < 2;
  }));
  CHECK(visited == 2);
}

TEST_CASE("Takes keep their kind, state, parent, times, version and uuid") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  WriterOptions options;
  std::int64_t now = 1000;
  std::uint8_t random = 0;
  options.environment.now_us = [&] { return now++; };
  options.environment.random_bytes = [&] {
    Uuid bytes{};
    bytes.fill(++random);
    return bytes;
  };
  options.environment.tool_version = "9.8.7";
  options.rules_snapshot = R"({"rules":[]})";
  const auto take = [&](TakeKind kind, TakeState end, int exchanges) {
    auto writer = required(CassetteWriter::open(file, options));
    const auto ordinal = required(writer->begin_take(kind));
    for (int i = 0; i < exchanges; ++i) required(append(*writer, {numbered(i)}));
    require_ok(writer->end_take(end));
    require_ok(writer->close());
    return ordinal;
  };
  CHECK(take(TakeKind::extend, TakeState::complete, 1) == 1);
  CHECK(take(TakeKind::replace, TakeState::interrupted, 2) == 2);
  CHECK(take(TakeKind::extend, TakeState::complete, 3) == 3);

  auto reader = required(CassetteReader::open(file));
  CHECK(reader->uuid() == "01010101-0101-4101-8101-010101010101");
  const auto takes = required(reader->takes());
  REQUIRE(takes.size() == 3);
  CHECK(takes[0].uuid == "02020202-0202-4202-8202-020202020202");
  CHECK(takes[0].parent_ordinal == 0);
  CHECK(takes[0].started_at_us == 1001);
  CHECK(takes[0].ended_at_us == 1002);
  CHECK(takes[0].tool_version == "9.8.7");
  CHECK(takes[1].kind == TakeKind::replace);
  CHECK(takes[1].state == TakeState::interrupted);
  CHECK(takes[2].kind == TakeKind::extend);
  CHECK(takes[2].state == TakeState::complete);
  CHECK_MESSAGE(takes[2].parent_ordinal == 1, "the newest complete take, not the interrupted one");
  CHECK(takes[2].exchange_count == 3);
  CHECK(count(file, R"(SELECT count(*) FROM takes WHERE rules = '{"rules":[]}')") == 3);
}

TEST_CASE("The ids of a batch follow on each other") {
  const TemporaryFolder folder;
  auto writer = required(CassetteWriter::open(folder / "x.cassette", {}));
  required(writer->begin_take(TakeKind::replace));
  CHECK(required(append(*writer, {numbered(1), numbered(2)})) == 1);
  CHECK(required(append(*writer, {numbered(3)})) == 3);
  require_ok(writer->close());
  auto reader = required(CassetteReader::open(folder / "x.cassette"));
  CHECK(required(reader->load(3, {})).exchange.request.target == "/tapes/3");
}

TEST_CASE("Dropping the last take removes it and the bodies that only it held") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto shared = ExchangeBuilder().response_json("[\"shared\"]").build();
  const auto own = ExchangeBuilder().response_body("text/plain", pattern(200'000)).build();
  record(file, {shared});
  record(file, {shared, own});
  CHECK(required(drop_last_take(file, std::chrono::milliseconds{0})) == 2);
  CHECK(count(file, "SELECT count(*) FROM takes") == 1);
  CHECK(count(file, "SELECT count(*) FROM bodies") == 1);
  CHECK(count(file, "SELECT count(*) FROM body_pieces") == 0);
  CHECK(names_in(folder.path()) == std::vector<std::string>{"x.cassette"});
  require_ok(required(CassetteReader::open(file))->check_integrity());

  CHECK(required(drop_last_take(file, std::chrono::milliseconds{0})) == 1);
  CHECK(drop_last_take(file, std::chrono::milliseconds{0}).error().code == "cassette-empty");
  CHECK(drop_last_take(folder / "none", std::chrono::milliseconds{0}).error().code == "cassette-missing");
}

TEST_CASE("What could not be read again is not written") {
  const TemporaryFolder folder;
  auto writer = required(CassetteWriter::open(folder / "x.cassette", {}));
  required(writer->begin_take(TakeKind::replace));
  const std::pair<const char*, Exchange> rows[] = {
      {"method", ExchangeBuilder("GE T").build()},
      {"target", ExchangeBuilder("GET", "/a b").build()},
      {"response head", ExchangeBuilder().response_header("X", "a\r\nSet-Cookie: b").build()},
      {"request head", ExchangeBuilder().request_header("X", std::string(1'000'000, 'a')).build()},
      {"reason phrase", ExchangeBuilder().status(200, "OK\r\n").build()},
      {"status", ExchangeBuilder().status(1000, "").build()},
      {"time", ExchangeBuilder().started_at_us(-1).build()},
  };
  for (const auto& row : rows) {
    INFO("part: ", std::string(row.first));
    const auto appended = append(*writer, {numbered(1), row.second});
    REQUIRE_FALSE(appended.has_value());
    CHECK(appended.error().code == "cassette-write-failed");
    CHECK(appended.error().detail.find(row.first) != std::string::npos);
  }
  require_ok(writer->close());
  CHECK(targets_in(folder / "x.cassette").empty());
}
