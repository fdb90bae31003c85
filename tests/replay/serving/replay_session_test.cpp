#include "replay/serving/replay_session.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "tests/support/exchange_builder.hpp"

namespace tapedeck {

using test::ExchangeBuilder;

namespace {

const MatchKeyMaker& keys() {
  static const MatchKeyMaker maker({});
  return maker;
}

std::vector<Take> one_take() {
  Take take;
  take.ordinal = 1;
  take.state = TakeState::complete;
  return {take};
}

// Numbers exchanges from 1 in the order in which they are added, all in take 1.
class Recordings {
 public:
  Recordings& add(ExchangeBuilder builder) {
    const auto number = static_cast<std::uint64_t>(exchanges_.size() + 1);
    StoredExchange stored;
    stored.id = static_cast<std::int64_t>(number);
    stored.take_ordinal = 1;
    stored.exchange = builder.numbers(number, number).build();
    exchanges_.push_back(std::move(stored));
    return *this;
  }
  std::unique_ptr<ReplayLibrary> library(SequencePolicy policy) const {
    return ReplayLibrary::of(one_take(), exchanges_, keys(), policy);
  }

 private:
  std::vector<StoredExchange> exchanges_;
};

ExchangeBuilder get(std::string_view target = "/x") {
  return ExchangeBuilder("GET", target);
}

// The exchange that answers, as text; or the reason of the miss.
std::string asked(ReplayLibrary& library, const ExchangeBuilder& request, std::string_view session = "default") {
  const auto built = request.build().request;
  const auto* found = library.find(keys().make(built));
  if (found == nullptr) return "none";
  const auto result = library.next(*found, session, conditions_of(built.headers));
  if (const auto* hit = std::get_if<Hit>(&result)) return std::to_string(hit->exchange_id);
  return std::string(miss_reason_text(std::get<MissReason>(result)));
}

bool only_choice(ReplayLibrary& library, const ExchangeBuilder& request, std::string_view session = "default") {
  const auto built = request.build().request;
  const auto result = library.next(*library.find(keys().make(built)), session, conditions_of(built.headers));
  return std::get<Hit>(result).only_choice;
}

StoredExchange stored(std::int64_t id, const ExchangeBuilder& builder) {
  StoredExchange result;
  result.id = id;
  result.take_ordinal = 2;
  result.exchange = builder.build();
  return result;
}

}  // namespace

TEST_CASE("a library knows what it holds") {
  const auto library = Recordings()
                           .add(get().started_at_us(7))
                           .add(get("/y").started_at_us(9))
                           .add(get().origin("http", "a.io", 8080).started_at_us(8))
                           .library(SequencePolicy::sticky);
  CHECK(library->exchange_count() == 3);
  CHECK(library->origins() == std::vector<std::string>{"http://a.io:8080", "https://api.roaring.io"});
  CHECK(library->newest_recorded_at_us() == 9);
  CHECK(asked(*library, get("/z")) == "none");
  CHECK(asked(*library, get("/y")) == "2");
}

TEST_CASE("a sequence is replayed in recorded order, each session for itself") {
  const auto library = Recordings().add(get()).add(get()).add(get("/y")).add(get()).library(SequencePolicy::sticky);
  CHECK(asked(*library, get()) == "1");
  CHECK(asked(*library, get()) == "2");
  CHECK(asked(*library, get(), "alice") == "1");
  CHECK(asked(*library, get()) == "4");
  CHECK(asked(*library, get()) == "4");
  CHECK(asked(*library, get(), "alice") == "2");
  CHECK(asked(*library, get("/y")) == "3");
}

TEST_CASE("a session is given its own recordings, then those of default, then others'") {
  const auto library = Recordings()
                           .add(get().session("alice"))
                           .add(get().session("default"))
                           .add(get("/y").session("alice"))
                           .add(get("/y").session("bob"))
                           .library(SequencePolicy::sticky);
  CHECK(asked(*library, get(), "alice") == "1");
  CHECK(asked(*library, get(), "default") == "2");
  CHECK(asked(*library, get(), "carol") == "2");
  CHECK(asked(*library, get("/y"), "alice") == "3");
  CHECK(asked(*library, get("/y"), "carol") == "4");
  CHECK_FALSE(only_choice(*library, get(), "alice"));
}

TEST_CASE("what may not answer is passed over, whoever recorded it") {
  const auto library = Recordings()
                           .add(get().session("alice").status(304, "Not Modified"))
                           .add(get().session("default"))
                           .add(get("/y").status(304, "Not Modified"))
                           .library(SequencePolicy::sticky);
  const auto conditional = get().request_header("If-None-Match", "\"1\"");
  CHECK(asked(*library, conditional, "alice") == "1");
  CHECK(asked(*library, get(), "alice") == "2");
  CHECK(asked(*library, get("/y")) == "differs");
}

TEST_CASE("a conditional request is answered by what was recorded for one, most of all for the very same") {
  const auto with = [](const char* tag) { return get().request_header("If-None-Match", tag); };
  const auto library = Recordings()
                           .add(get())
                           .add(with("\"1\"").status(304, "Not Modified"))
                           .add(with("\"2\"").status(304, "Not Modified"))
                           .add(with("\"1\""))
                           .add(get())
                           .library(SequencePolicy::sticky);
  CHECK(asked(*library, with("\"2\"")) == "3");
  CHECK(only_choice(*library, with("\"2\"")));
  CHECK(asked(*library, get()) == "1");
  CHECK(asked(*library, with("\"1\"")) == "2");
  CHECK(asked(*library, with("\"1\"")) == "4");
  CHECK_FALSE(only_choice(*library, with("\"1\"")));
  CHECK(asked(*library, get()) == "5");
  CHECK(asked(*library, with("\"3\""), "alice") == "2");
  CHECK(asked(*library, with("\"3\""), "alice") == "3");
}

TEST_CASE("a condition is a preference: what was recorded the other way answers where nothing else does") {
  const auto conditional = [](const char* target) { return get(target).request_header("If-Modified-Since", "then"); };
  const auto library = Recordings()
                           .add(get("/plain"))
                           .add(conditional("/conditional"))
                           .add(conditional("/conditional").status(304, "Not Modified"))
                           .library(SequencePolicy::sticky);
  CHECK(asked(*library, conditional("/plain")) == "1");
  CHECK(only_choice(*library, conditional("/plain")));
  CHECK(asked(*library, get("/conditional")) == "2");
  CHECK(asked(*library, conditional("/conditional")) == "2");
  CHECK(asked(*library, conditional("/conditional")) == "3");
}

TEST_CASE("the recording that fits the request best is served") {
  const auto gzip = get("/g").request_header("Accept-Encoding", "gzip").response_header("Content-Encoding", "gzip");
  const auto library = Recordings()
                           .add(get().response_body("application/pdf", "%PDF"))
                           .add(get().response_json("{}"))
                           .add(gzip)
                           .add(get("/g"))
                           .add(get("/only-gzip").response_header("Content-Encoding", "gzip"))
                           .library(SequencePolicy::sticky);
  auto wants_json = get();
  wants_json.raw().request.headers = {{"Accept", "application/json"}};
  CHECK(asked(*library, wants_json) == "2");
  CHECK(asked(*library, get()) == "1");
  CHECK(asked(*library, get("/g")) == "4");
  CHECK(asked(*library, get("/g").request_header("Accept-Encoding", "br, gzip")) == "3");
  CHECK(asked(*library, get("/only-gzip")) == "5");
}

TEST_CASE("failures are recordings as others; what was left half-way is the last resort") {
  const auto refused = get().failure(NetworkFailure::Phase::connect, NetworkFailure::Kind::refused);
  auto never_answered = get("/open");
  never_answered.raw().response.reset();
  never_answered.raw().state = ExchangeState::open;
  const auto library = Recordings()
                           .add(refused)
                           .add(get().cut_by_client())
                           .add(get())
                           .add(get("/y").cut_by_client())
                           .add(never_answered)
                           .library(SequencePolicy::sticky);
  CHECK(asked(*library, get()) == "1");
  CHECK(asked(*library, get()) == "3");
  CHECK(asked(*library, get("/y")) == "4");
  CHECK(asked(*library, get("/open")) == "none");
}

TEST_CASE("only a hit that can never change is said to be the only choice") {
  struct Row {
    std::string name;
    SequencePolicy policy;
    bool of_one;
    bool of_two;
  };
  const Row rows[] = {
      {"sticky", SequencePolicy::sticky, true, false}, {"cycle", SequencePolicy::cycle, true, false},
      {"error", SequencePolicy::error, false, false},  {"first", SequencePolicy::first, true, true},
      {"last", SequencePolicy::last, true, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto library = Recordings().add(get()).add(get("/y")).add(get("/y")).library(row.policy);
    CHECK(only_choice(*library, get()) == row.of_one);
    CHECK(only_choice(*library, get("/y")) == row.of_two);
  }
  const auto library = Recordings().add(get()).add(get().status(304, "Not Modified")).library(SequencePolicy::sticky);
  CHECK(only_choice(*library, get()));
  CHECK_FALSE(only_choice(*library, get().request_header("If-None-Match", "\"1\"")));
}

TEST_CASE("uses are counted, and what was never served is told, token requests aside") {
  const auto token = ExchangeBuilder("POST", "/token").request_form("grant_type=client_credentials");
  const auto json_token = ExchangeBuilder("POST", "/auth/token").request_json(R"({"grant_type":"password"})");
  const auto library = Recordings()
                           .add(get("/b?q=1"))
                           .add(token)
                           .add(json_token)
                           .add(get("/a"))
                           .add(ExchangeBuilder("POST", "/token").request_form("a=1"))
                           .add(get("/c").cut_by_client())
                           .add(get("/c"))
                           .library(SequencePolicy::sticky);
  const auto built = get("/a").build().request;
  const auto hit = std::get<Hit>(library->next(*library->find(keys().make(built)), "default", {}));
  CHECK(hit.uses->load() == 1);
  std::string unused;
  for (const auto& one : library->unused()) unused += std::to_string(one.exchange_id) + " " + one.request_line + "\n";
  CHECK(unused ==
        "1 GET https://api.roaring.io/b?q=1\n5 POST https://api.roaring.io/token\n7 GET https://api.roaring.io/c\n");
}

TEST_CASE("what a run adds answers later requests") {
  SUBCASE("a new key") {
    const auto library = Recordings().add(get()).library(SequencePolicy::sticky);
    const auto added = get("/new").origin("https", "b.io", 443).started_at_us(1'800'000'000'000'000);
    library->add(keys().make(added.build().request), stored(10, added));
    CHECK(asked(*library, added) == "10");
    CHECK_FALSE(only_choice(*library, added));
    CHECK(library->exchange_count() == 2);
    CHECK(library->origins().size() == 2);
    CHECK(library->newest_recorded_at_us() == 1'800'000'000'000'000);
    CHECK(library->unused().size() == 1);
    CHECK(library->additions() == 1);
  }
  SUBCASE("a key that had only answers to conditional requests") {
    const auto library = Recordings().add(get().status(304, "Not Modified")).library(SequencePolicy::sticky);
    CHECK(asked(*library, get()) == "differs");
    library->add(keys().make(get().build().request), stored(10, get()));
    CHECK(asked(*library, get()) == "10");
    CHECK(asked(*library, get().request_header("If-None-Match", "\"1\"")) == "1");
  }
  SUBCASE("an exhausted sequence goes on live: its session has had what was added, another has not") {
    const auto library = Recordings().add(get()).library(SequencePolicy::error);
    CHECK(asked(*library, get()) == "1");
    CHECK(asked(*library, get()) == "exhausted");
    library->add(keys().make(get().build().request), stored(10, get()));
    CHECK(asked(*library, get()) == "exhausted");
    CHECK(asked(*library, get(), "alice") == "1");
    CHECK(asked(*library, get(), "alice") == "10");
    CHECK(asked(*library, get(), "alice") == "exhausted");
  }
  SUBCASE("two at once for the same missing key: the later one stays") {
    const auto library = Recordings().add(get("/y")).library(SequencePolicy::sticky);
    library->add(keys().make(get().build().request), stored(10, get()));
    library->add(keys().make(get().build().request), stored(11, get()));
    CHECK(asked(*library, get()) == "11");
  }
  SUBCASE("one that was cut short answers nothing") {
    const auto library = Recordings().add(get("/y")).library(SequencePolicy::sticky);
    library->add(keys().make(get().build().request), stored(10, get().cut_by_client()));
    CHECK(asked(*library, get()) == "none");
    CHECK(library->additions() == 0);
  }
}

TEST_CASE("many threads are handed each recording of a sequence exactly once") {
  constexpr int recordings_count = 400;
  constexpr int threads_count = 4;
  Recordings recordings;
  for (int i = 0; i < recordings_count; ++i) recordings.add(get());
  const auto library = recordings.library(SequencePolicy::error);
  std::mutex mutex;
  std::vector<std::string> handed_out;
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i) {
    threads.emplace_back([&] {
      std::vector<std::string> own;
      while (own.empty() || own.back() != "exhausted") own.push_back(asked(*library, get()));
      own.pop_back();
      // One thread sees the recorded order, whatever the others take.
      const auto earlier = [](const auto& left, const auto& right) { return std::stoi(left) < std::stoi(right); };
      const std::lock_guard lock(mutex);
      CHECK(std::is_sorted(own.begin(), own.end(), earlier));
      handed_out.insert(handed_out.end(), own.begin(), own.end());
    });
  }
  for (auto& thread : threads) thread.join();
  std::sort(handed_out.begin(), handed_out.end());
  CHECK(handed_out.size() == recordings_count);
  CHECK(std::unique(handed_out.begin(), handed_out.end()) == handed_out.end());
}

TEST_CASE("threads may ask and explain while others add") {
  const auto library = Recordings().add(get()).add(get("/y")).library(SequencePolicy::sticky);
  constexpr int rounds = 200;
  std::vector<std::thread> threads;
  for (int adder = 0; adder < 2; ++adder) {
    threads.emplace_back([&, adder] {
      for (int i = 0; i < rounds; ++i) {
        const auto added = get("/new/" + std::to_string(i % 20));
        library->add(keys().make(added.build().request), stored(1000 * (adder + 1) + i, added));
        library->add(keys().make(get().build().request), stored(5000 * (adder + 1) + i, get()));
      }
    });
  }
  for (int asker = 0; asker < 2; ++asker) {
    threads.emplace_back([&, asker] {
      for (int i = 0; i < rounds; ++i) {
        asked(*library, get("/new/" + std::to_string(i % 20)), asker == 0 ? "default" : "alice");
        CHECK(asked(*library, get("/y")) == "2");
        CHECK(asked(*library, get()) != "none");
        if (i % 20 == 0) library->explain_miss(keys().make(get("/none").build().request), "GET /none");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(library->exchange_count() == 2 + 4 * rounds);
  for (int i = 0; i < 20; ++i) CHECK(asked(*library, get("/new/" + std::to_string(i))) != "none");
}

}  // namespace tapedeck
