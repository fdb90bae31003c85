#pragma once

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/cassette/cassette_reader.hpp"
#include "tests/support/exchange_builder.hpp"

namespace tapedeck::test {

inline std::uint32_t printed_seed() {
  const std::uint32_t seed = std::random_device{}();
  MESSAGE("seed " << seed);
  return seed;
}

// Exchanges that share keys, sessions and negotiations in all ways; two with equal seeds are equal.
class RandomRecordings {
 public:
  explicit RandomRecordings(std::uint32_t seed) : random_(seed) {}

  std::vector<StoredExchange> exchanges(std::size_t count) {
    std::vector<StoredExchange> made;
    for (std::size_t i = 1; i <= count; ++i) {
      StoredExchange stored;
      stored.id = static_cast<std::int64_t>(i);
      stored.take_ordinal = static_cast<std::int64_t>(1 + 3 * (i - 1) / count);
      stored.exchange = builder().numbers(i, i).build();
      made.push_back(std::move(stored));
    }
    return made;
  }
  static std::vector<Take> takes() {
    std::vector<Take> takes(3);
    for (std::size_t i = 0; i < takes.size(); ++i) {
      takes[i].ordinal = static_cast<std::int64_t>(i + 1);
      takes[i].state = i == 1 ? TakeState::interrupted : TakeState::complete;
      takes[i].kind = i == 2 ? TakeKind::extend : TakeKind::replace;
      takes[i].parent_ordinal = i == 2 ? 1 : 0;
    }
    return takes;
  }

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

 private:
  std::string one_of(std::initializer_list<const char*> texts) { return texts.begin()[below(texts.size())]; }
  ExchangeBuilder builder() {
    auto made = ExchangeBuilder(one_of({"GET", "GET", "PUT"}), "/things/" + std::to_string(below(40)));
    made.origin("https", one_of({"api.roaring.io", "b.io"}), 443);
    made.session(one_of({"default", "default", "alice", "bob"}));
    made.started_at_us(static_cast<std::int64_t>(1 + below(1'000'000)));
    if (below(3) == 0) made.request_header("Accept-Encoding", one_of({"gzip", "br", "identity"}));
    if (below(4) == 0) made.response_header("Content-Encoding", "gzip");
    if (below(5) == 0) made.request_json(R"({"n":)" + std::to_string(below(3)) + "}");
    if (below(6) == 0) made.request_header("If-None-Match", "\"1\"").status(304, "Not Modified");
    if (below(10) == 0) made.failure(NetworkFailure::Phase::connect, NetworkFailure::Kind::refused);
    if (below(10) == 0) made.cut_by_client();
    return made;
  }

  std::mt19937 random_;
};

}  // namespace tapedeck::test
