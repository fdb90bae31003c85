#include "proxy/modes/turn_reader.hpp"

#include <doctest/doctest.h>

#include "tests/storage/cassette/cassette_fixture.hpp"

namespace tapedeck {

using test::numbered;
using test::required;

namespace {

struct Turns {
  test::TemporaryFolder folder;
  std::filesystem::path file = folder / "x.cassette";
  asio::io_context context{1};
  std::unique_ptr<TurnReader> reader;

  Turns() {
    test::record(file, {numbered(1), numbered(2)});
    reader = std::make_unique<TurnReader>(context.get_executor(), required(CassetteReader::open(file)));
  }

  bool is_free() const { return test::is_free(file); }
  void load(std::int64_t id) {
    CHECK(required(test::answer_of(*reader, id)).exchange.request.target == "/tapes/" + std::to_string(id));
  }
};

}  // namespace

TEST_CASE("All that is ready in a turn loads under one lock, which ends with the turn") {
  Turns turns;
  for (int turn = 0; turn < 2; ++turn) {
    INFO("turn ", turn);
    std::vector<std::string> seen;
    const auto note = [&](const char* when) {
      seen.push_back(std::string(when) + (turns.is_free() ? ": free" : ": locked"));
    };
    asio::post(turns.context, [&] {
      note("before a load");
      turns.load(1);
      note("behind the first");
      asio::post(turns.context, [&] { note("in the next turn"); });
    });
    asio::post(turns.context, [&] {
      note("between two");
      turns.load(2);
      turns.load(1);
      note("behind the last");
    });
    turns.context.run();
    turns.context.restart();
    CHECK(seen == std::vector<std::string>{"before a load: free", "behind the first: locked", "between two: locked",
                                           "behind the last: locked", "in the next turn: free"});
  }
}

// In WAL mode another connection may write beside a hold, which goes on to see what was there when it began.
TEST_CASE("A turn of many loads gives the lock up in between") {
  Turns turns;
  const auto writer = required(CassetteWriter::open(turns.file, {}));
  required(writer->begin_take(TakeKind::extend));
  int loads_of_old = 0;
  asio::post(turns.context, [&] {
    turns.load(2);
    REQUIRE(test::execute(turns.file, "UPDATE exchanges SET target = '/new' WHERE id = 2"));
    for (int n = 0; n < 1000; ++n) {
      loads_of_old += required(test::answer_of(*turns.reader, 2)).exchange.request.target == "/tapes/2" ? 1 : 0;
    }
  });
  turns.context.run();
  CHECK(loads_of_old == 255);
}

TEST_CASE("A reader that cannot load says so and holds nothing") {
  Turns turns;
  asio::post(turns.context, [&] {
    CHECK_FALSE(test::answer_of(*turns.reader, 3).has_value());
    turns.load(1);
  });
  turns.context.run();
  CHECK(turns.is_free());
}

TEST_CASE("A loop that ends before the turn does leaves no lock behind") {
  Turns turns;
  asio::post(turns.context, [&] {
    turns.load(1);
    turns.context.stop();
  });
  turns.context.run();
  turns.reader.reset();
  CHECK(turns.is_free());
}

}  // namespace tapedeck
