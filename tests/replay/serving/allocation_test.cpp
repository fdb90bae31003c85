// That a hit allocates nothing: allocations are counted, for the thread that asks. Not a part of sanitized builds,
// which count on an allocator of their own.

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

}  // namespace tapedeck
