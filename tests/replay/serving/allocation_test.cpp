// That a hit allocates nothing: allocations are counted, for the thread that asks.

#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "replay/serving/replay_session.hpp"
#include "tests/support/exchange_builder.hpp"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
// A sanitizer would take one of its own for it and then find that it does not go with ours of delete.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace tapedeck {

using test::ExchangeBuilder;

TEST_CASE("the next recording of a key is found without allocating") {
  Take take;
  take.ordinal = 1;
  take.state = TakeState::complete;
  std::vector<StoredExchange> exchanges;
  for (const auto* target : {"/one", "/some", "/some", "/some"}) {
    StoredExchange stored;
    stored.id = static_cast<std::int64_t>(exchanges.size() + 1);
    stored.take_ordinal = 1;
    stored.exchange = ExchangeBuilder("GET", target).build();
    exchanges.push_back(std::move(stored));
  }
  const MatchKeyMaker keys({});
  const auto library = ReplayLibrary::of({take}, exchanges, keys, SequencePolicy::cycle);
  const auto conditions = conditions_of(exchanges[0].exchange.request.headers);
  for (const std::size_t asked : {0, 1}) {
    const auto* found = library->find(keys.make(exchanges[asked].exchange.request));
    // The first hit makes the session's cursor.
    CHECK(std::holds_alternative<Hit>(library->next(*found, "a session whose name is a long one", conditions)));
    const auto before = allocations;
    for (int i = 0; i < 20; ++i) (void)library->next(*found, "a session whose name is a long one", conditions);
    CHECK(allocations == before);
  }
  CHECK(allocations > 0);
}

TEST_CASE("additions are counted") {
  const MatchKeyMaker keys({});
  const auto library = ReplayLibrary::of({}, {}, keys, SequencePolicy::sticky);
  StoredExchange stored;
  stored.exchange = ExchangeBuilder().build();
  library->add(keys.make(stored.exchange.request), stored);
  CHECK(library->additions() == 1);
  stored.exchange = ExchangeBuilder().cut_by_client().build();
  library->add(keys.make(stored.exchange.request), stored);
  CHECK(library->additions() == 1);
}

}  // namespace tapedeck
