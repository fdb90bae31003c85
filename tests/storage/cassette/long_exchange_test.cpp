// Long exchanges: what is kept of them step by step, what a run that dies in between leaves, and that a failure at any
// operation on the file loses nothing that was acknowledged. (Bodies are compared in a second pair of brackets, since
// doctest would print them whole.)

#include <algorithm>

#include <doctest/doctest.h>

#include "storage/cassette/schema.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"
#include "tests/support/faulty_vfs.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

// Different in each piece, so that one that is lost or swapped shows.
std::string text_of(std::size_t size, char seed = 'a') {
  std::string text(size, seed);
  for (std::size_t at = 0; at < size; at += 1000) text[at] = static_cast<char>('0' + at / 1000 % 10);
  return text;
}

Exchange open_exchange() {
  auto exchange = numbered(7);
  exchange.state = ExchangeState::open;
  exchange.response->body.bytes.clear();
  return exchange;
}

Exchange whole_exchange() {
  auto exchange = open_exchange();
  exchange.state = ExchangeState::whole;
  return exchange;
}

using Steps = std::vector<RecordingStep>;

Steps heads(LongExchangeId id) {
  return {LongHeads{id, redacted(open_exchange())}};
}
Steps end(LongExchangeId id) {
  return {LongEnd{id, redacted(whole_exchange())}};
}
Steps whole(int n) {
  return {redacted(numbered(n))};
}

// Two steps: the redactor holds back what could begin a secret, until the body ends.
Steps pieces(LongExchangeId id, std::string_view bytes, Direction direction = Direction::response) {
  static const Redactor redactor({}, Limits{});
  Request request;
  Response response;
  response.headers = {{"Content-Type", "application/octet-stream"}};
  const auto stream = redactor.stream_response_body(request, response);
  auto first = required(stream->push(bytes));
  auto second = required(stream->finish());
  REQUIRE(first.bytes().size() + second.bytes().size() == bytes.size());
  return {LongPiece{id, direction, std::move(first)}, LongPiece{id, direction, std::move(second)}};
}

Result<std::vector<std::int64_t>> keep(CassetteWriter& writer, const std::vector<Steps>& parts) {
  Steps all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return append_steps(writer, all);
}

std::unique_ptr<CassetteWriter> writer_in_take(const std::filesystem::path& file) {
  auto writer = required(CassetteWriter::open(file, {}));
  required(writer->begin_take(TakeKind::replace));
  return writer;
}

void close(CassetteWriter& writer) {
  require_ok(writer.end_take(TakeState::complete));
  require_ok(writer.close());
}

std::string body_in(CassetteReader& reader, const StoredBody& body) {
  std::string text;
  require_ok(reader.for_each_piece(body, [&](std::string_view bytes) {
    text += bytes;
    return true;
  }));
  return text;
}

}  // namespace

TEST_CASE("A body that comes in pieces of any size is the body that was sent") {
  struct Row {
    const char* name;
    std::size_t size;
    std::size_t step;
  };
  const Row rows[] = {
      {"nothing", 0, 1},
      {"less than a piece", 1000, 300},
      {"one piece", body_piece_bytes, body_piece_bytes},
      {"a byte less", body_piece_bytes - 1, 5000},
      {"a byte more", body_piece_bytes + 1, 5000},
      {"several pieces at once", 5 * body_piece_bytes + 12, 5 * body_piece_bytes + 12},
      {"in steps that fit no piece", 5 * body_piece_bytes + 12, 40'001},
      {"in steps of three bytes", 70'000, 3},
  };
  for (const auto& row : rows) {
    INFO(std::string(row.name));
    const TemporaryFolder folder;
    const auto file = folder / "x.cassette";
    const auto body = text_of(row.size);
    auto writer = writer_in_take(file);
    required(keep(*writer, {heads(1)}));
    std::vector<Steps> steps;
    for (std::size_t at = 0; at < body.size(); at += row.step) steps.push_back(pieces(1, body.substr(at, row.step)));
    steps.push_back(end(1));
    required(keep(*writer, steps));
    close(*writer);

    auto reader = required(CassetteReader::open(file));
    require_ok(reader->check_integrity());
    const auto all = all_of(*reader);
    REQUIRE(all.size() == 1);
    CHECK(all[0].exchange.state == ExchangeState::whole);
    CHECK((all[0].exchange.response->body.bytes == body));
    CHECK((body_in(*reader, all[0].response_body) == body));
  }
}

TEST_CASE("A body above the bound stays in the cassette until its pieces are asked for") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto body = text_of(3 * body_piece_bytes);
  auto writer = writer_in_take(file);
  required(keep(*writer, {heads(1), pieces(1, body), end(1)}));
  close(*writer);
  auto reader = required(CassetteReader::open(file));
  const auto stored = required(reader->load(1, {true, true, false, body.size() - 1}));
  CHECK(stored.response_body_stays());
  CHECK(stored.response_body.size == body.size());
  CHECK((stored.exchange.response->body.bytes.empty()));
  std::string bytes;
  require_ok(reader->load_piece(stored.response_body, 2, bytes));
  CHECK((bytes == body.substr(2 * body_piece_bytes)));
  require_ok(reader->load_piece(stored.response_body, 3, bytes));
  CHECK(bytes.empty());
  CHECK_FALSE(required(reader->load(1, {true, true, false, body.size()})).response_body_stays());
}

TEST_CASE("A hold finds the answer whole that was finished since it began") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto body = text_of(2 * body_piece_bytes);
  auto writer = writer_in_take(file);
  required(keep(*writer, {heads(1), pieces(1, body.substr(0, 100'000))}));
  auto reader = required(CassetteReader::open(file));
  require_ok(reader->hold());
  CHECK(required(answer_of(*reader, 1, body.size())).exchange.state == ExchangeState::open);
  required(keep(*writer, {pieces(1, body.substr(100'000)), end(1)}));
  const auto answer = required(answer_of(*reader, 1, body.size()));
  CHECK(answer.exchange.state == ExchangeState::whole);
  CHECK((answer.exchange.response->body.bytes == body));
  reader->release();
  close(*writer);
}

TEST_CASE("Long bodies of both directions, heads that change, and whole exchanges in between") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto up = text_of(150'000, 'u'), down = text_of(160'000, 'd');
  auto writer = writer_in_take(file);
  const auto first = required(keep(*writer, {heads(1), pieces(1, up.substr(0, 100'000), Direction::request)}));
  const auto second = required(keep(*writer, {whole(3), heads(1), pieces(1, down), heads(2), whole(4)}));
  required(keep(*writer, {pieces(1, up.substr(100'000), Direction::request), end(1)}));
  CHECK(first == std::vector<std::int64_t>{1, 1, 1});
  CHECK(second == std::vector<std::int64_t>{2, 1, 1, 1, 3, 4});
  close(*writer);

  auto reader = required(CassetteReader::open(file));
  require_ok(reader->check_integrity());
  const auto stored = required(reader->load(1, {}));
  CHECK((stored.exchange.request.body.bytes == up));
  CHECK((stored.exchange.response->body.bytes == down));
  CHECK_MESSAGE(required(reader->load(3, {})).exchange.state == ExchangeState::cut, "its end never came");
}

TEST_CASE("Equal long bodies lie in the cassette once") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto body = text_of(200'000);
  auto writer = writer_in_take(file);
  for (LongExchangeId id = 1; id <= 3; ++id) required(keep(*writer, {heads(id), pieces(id, body), end(id)}));
  close(*writer);
  auto reader = required(CassetteReader::open(file));
  require_ok(reader->check_integrity());
  for (std::int64_t id = 1; id <= 3; ++id) {
    const auto stored = required(reader->load(id, {}));
    CHECK(stored.response_body.id == 1);
    CHECK((stored.exchange.response->body.bytes == body));
  }
}

TEST_CASE("A long exchange that is not wanted after all leaves nothing") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  auto writer = writer_in_take(file);
  required(keep(*writer, {whole(1), heads(1), pieces(1, text_of(200'000))}));
  required(append_steps(*writer, {LongEnd{1, std::nullopt}}));
  close(*writer);
  CHECK(targets_in(file) == std::vector<std::string>{"/tapes/1"});
  auto reader = required(CassetteReader::open(file));
  require_ok(reader->check_integrity());
  CHECK(std::filesystem::file_size(file) < 400'000);
}

TEST_CASE("A run that dies in between leaves an exchange that is cut where it was") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto body = text_of(5 * body_piece_bytes + 100);
  {
    auto writer = writer_in_take(file);
    required(keep(*writer, {heads(1)}));
    required(keep(*writer, {pieces(1, body)}));
  }
  for (int opened = 0; opened < 2; ++opened) {
    auto reader = required(CassetteReader::open(file));
    require_ok(reader->check_integrity());
    const auto stored = required(reader->load(1, {}));
    CHECK(stored.exchange.state == ExchangeState::cut);
    CHECK((stored.exchange.response->body.bytes == body.substr(0, 5 * body_piece_bytes)));
    record(file, {numbered(9)});  // the next writer says so in the file
  }
}

TEST_CASE("A step of an exchange that nobody began is refused") {
  const TemporaryFolder folder;
  auto writer = writer_in_take(folder / "x.cassette");
  for (const auto& step : {pieces(5, "x"), end(5)}) {
    const auto refused = keep(*writer, {step});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "cassette-write-failed");
  }
}

TEST_CASE("Every operation fails in turn, and a long exchange is there as far as it was acknowledged") {
  const auto body = text_of(4 * body_piece_bytes + 7);
  for (const auto kind : {FaultPlan::Kind::fail_once, FaultPlan::Kind::fail_from_then}) {
    for (int at = 1;; ++at) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(at);
      REQUIRE(at < 1000);
      const TemporaryFolder folder;
      const auto file = folder / "x.cassette";
      std::size_t acknowledged = 0;
      bool ended = false;
      {
        FaultyVfs::plan_nothing();
        WriterOptions options;
        options.environment.vfs = FaultyVfs::name;
        auto writer = required(CassetteWriter::open(file, options));
        required(writer->begin_take(TakeKind::replace));
        FaultyVfs::plan({kind, SQLITE_IOERR_WRITE, at});
        bool fine = keep(*writer, {heads(1)}).has_value();
        for (std::size_t begin = 0; fine && begin < body.size(); begin += 100'000) {
          fine = keep(*writer, {pieces(1, body.substr(begin, 100'000))}).has_value();
          if (fine) acknowledged = std::min(begin + 100'000, body.size()) / body_piece_bytes * body_piece_bytes;
        }
        ended = fine && keep(*writer, {end(1)}).has_value();
      }
      const bool fired = FaultyVfs::fired();
      FaultyVfs::plan_nothing();
      auto reader = required(CassetteReader::open(file));
      require_ok(reader->check_integrity());
      const auto all = all_of(*reader);
      CHECK(all.size() <= 1);
      if (!all.empty()) {
        const auto& exchange = all[0].exchange;
        const std::string_view kept = exchange.response->body.bytes;
        CHECK((body.starts_with(kept)));
        CHECK(kept.size() >= acknowledged);
        if (ended) CHECK((kept == body));
        CHECK((exchange.state == ExchangeState::whole) == (kept.size() == body.size()));
      }
      if (ended || acknowledged > 0) CHECK(all.size() == 1);
      if (!fired) break;
    }
  }
}
