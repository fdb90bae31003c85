#include "proxy/tls/byte_queue.hpp"

#include <deque>
#include <random>

#include <doctest/doctest.h>

using namespace tapedeck;

TEST_CASE("bytes come out as they went in, whatever the order of calls") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  ByteQueue queue;
  std::deque<char> model;
  for (int round = 0; round < 5'000; ++round) {
    if (random() % 2 == 0) {
      const std::string bytes(random() % 3'000, static_cast<char>(random()));
      queue.append(bytes);
      model.insert(model.end(), bytes.begin(), bytes.end());
    } else {
      const std::size_t bytes = random() % (queue.size() + 1);
      queue.consume(bytes);
      model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(bytes));
    }
    REQUIRE(std::equal(model.begin(), model.end(), queue.view().begin(), queue.view().end()));
  }
}

TEST_CASE("memory is kept while bytes come and go, and given back when asked for and empty") {
  ByteQueue queue;
  CHECK(queue.capacity() == 0);
  queue.append(std::string(10'000, 'x'));
  const std::size_t grown = queue.capacity();
  queue.consume(9'000);
  // Room is made by moving what is left to the front.
  queue.append(std::string(grown - 1'000, 'y'));
  CHECK(queue.capacity() == grown);
  queue.release();
  CHECK(queue.capacity() == grown);
  queue.consume(queue.size());
  CHECK(queue.capacity() == grown);
  queue.release();
  CHECK(queue.capacity() == 0);
}

TEST_CASE("only what was added of a space counts") {
  ByteQueue queue;
  queue.append("ab");
  const auto space = queue.space(100);
  space[0] = 'c';
  queue.added(1);
  CHECK(queue.view() == "abc");
}
