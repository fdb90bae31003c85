#include "proxy/modes/wire_image.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

StoredExchange stored(BodyFraming framing, std::string body) {
  StoredExchange stored;
  stored.id = 7;
  auto& exchange = stored.exchange;
  exchange.request.origin = {"https", "api.x.io", 443};
  exchange.request.method = "GET";
  exchange.request.target = "/a";
  auto& response = exchange.response.emplace();
  response.status = 200;
  response.reason = "OK";
  response.headers.add("Content-Type", "text/plain");
  if (framing == BodyFraming::content_length) response.headers.add("Content-Length", std::to_string(body.size()));
  if (framing == BodyFraming::chunked) response.headers.add("Transfer-Encoding", "chunked");
  response.body.framing = framing;
  response.body.bytes = std::move(body);
  return stored;
}

ServedContext get() {
  ServedContext context;
  context.request_method = "GET";
  return context;
}

std::shared_ptr<const WireImage> image_of_size(std::size_t bytes) {
  auto image = std::make_shared<WireImage>();
  image->bytes.assign(bytes, 'x');
  return image;
}

void put_twice(WireImageCache& cache, std::string_view key, std::size_t bytes) {
  for (int i = 0; i < 2; ++i) cache.put(key, image_of_size(bytes));
}

}  // namespace

TEST_CASE("a recorded answer as bytes") {
  SUBCASE("with a length") {
    const auto image = make_wire_image(stored(BodyFraming::content_length, "hello"), get(), {}, false);
    CHECK(image.bytes == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
    CHECK_FALSE(image.close_after);
  }
  SUBCASE("in chunks, with a trailer") {
    auto recorded = stored(BodyFraming::chunked, "hello");
    recorded.exchange.response->trailers.add("X-Sum", "1");
    const auto image = make_wire_image(std::move(recorded), get(), {}, false);
    CHECK(image.bytes ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
          "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
  }
  SUBCASE("an interim answer goes first") {
    auto recorded = stored(BodyFraming::content_length, "hello");
    recorded.exchange.response->interim.push_back({103, "Early Hints", {{"Link", "</a>"}}});
    const auto image = make_wire_image(std::move(recorded), get(), {}, false);
    CHECK(image.bytes.starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"));
  }
  SUBCASE("cut: the recorded length is announced, the connection ends where it was cut") {
    auto recorded = stored(BodyFraming::content_length, "hello");
    recorded.exchange.response->body.bytes = "hel";
    recorded.exchange.state = ExchangeState::cut;
    const auto image = make_wire_image(std::move(recorded), get(), {}, false);
    CHECK(image.bytes.ends_with("Content-Length: 5\r\n\r\nhel"));
    CHECK(image.close_after);
  }
  SUBCASE("cut in chunks: no last chunk") {
    auto recorded = stored(BodyFraming::chunked, "hel");
    recorded.exchange.state = ExchangeState::cut;
    const auto image = make_wire_image(std::move(recorded), get(), {}, false);
    CHECK(image.bytes.ends_with("3\r\nhel\r\n"));
    CHECK(image.close_after);
  }
  SUBCASE("a network failure is the problem that the recording client saw") {
    auto recorded = stored(BodyFraming::none, "");
    recorded.exchange.response.reset();
    recorded.exchange.failure = NetworkFailure{};
    recorded.exchange.failure->phase = NetworkFailure::Phase::await_response;
    recorded.exchange.failure->kind = NetworkFailure::Kind::timeout;
    const auto image = make_wire_image(std::move(recorded), get(), {}, false);
    CHECK(image.bytes.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
    CHECK(image.bytes.find("https://api.x.io did not answer in time") != std::string::npos);
  }
  SUBCASE("a body that became shorter when it was rewritten") {
    auto recorded = stored(BodyFraming::content_length, R"({"expires_in":3599.999})");
    recorded.exchange.response->headers = {{"Content-Type", "application/json"}, {"Content-Length", "23"}};
    recorded.response_body = {1, 23};
    Profile profile;
    profile.hosts = {"api.x.io"};
    profile.rewriting = {{RewriteRule::Kind::json_number_at_least, "expires_in", 3600, ""}};
    const auto image = make_wire_image(std::move(recorded), get(), {profile}, false);
    CHECK(image.bytes.ends_with("Content-Length: 19\r\n\r\n{\"expires_in\":3600}"));
    CHECK_FALSE(image.is_long());
  }
  SUBCASE("--mark names the recording") {
    const auto image = make_wire_image(stored(BodyFraming::content_length, "a"), get(), {}, true);
    CHECK(image.bytes.find("Tapedeck-Exchange: 7\r\nTapedeck-Recorded-At: 1970-01-01T00:00:00Z\r\n") !=
          std::string::npos);
  }
}

TEST_CASE("an image is kept when it is put for the second time") {
  WireImageCache cache(10'000);
  CHECK_FALSE(cache.put("a", image_of_size(900)));
  CHECK(cache.find("a") == nullptr);
  CHECK(cache.bytes() == 0);
  CHECK(cache.put("a", image_of_size(900)));
  CHECK(cache.find("a") != nullptr);
  CHECK_MESSAGE(cache.put("a", image_of_size(900)), "it is there already");
}

TEST_CASE("whatever is asked for round after round is kept in the end") {
  struct Row {
    int keys;
    int rounds_max;
  };
  for (const Row& row : {Row{1, 2}, Row{1'000, 2}, Row{5'000, 6}, Row{20'000, 100}}) {
    CAPTURE(row.keys);
    WireImageCache cache(100'000'000);
    const auto put_all = [&] {
      int kept = 0;
      for (int n = 0; n < row.keys; ++n) kept += cache.put(std::to_string(n), image_of_size(10)) ? 1 : 0;
      return kept == row.keys;
    };
    int rounds = 1;
    while (!put_all() && rounds <= row.rounds_max) ++rounds;
    CHECK(rounds <= row.rounds_max);
  }
}

TEST_CASE("images asked for once do not push out those in use") {
  WireImageCache cache(100'000);
  for (int n = 0; n < 50; ++n) put_twice(cache, "hot " + std::to_string(n), 900);
  int kept = 0;
  for (int n = 0; n < 100'000; ++n) kept += cache.put("cold " + std::to_string(n), image_of_size(900)) ? 1 : 0;
  CHECK_MESSAGE(kept < 100, "but for keys with equal marks");
  for (int n = 0; n < 50; ++n) CHECK(cache.find("hot " + std::to_string(n)) != nullptr);
}

TEST_CASE("the cache is bounded in bytes and lets the least recently used go") {
  WireImageCache cache(10'000);
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g"}) put_twice(cache, key, 900);
  REQUIRE(cache.find("a") != nullptr);  // used now: b is the oldest
  put_twice(cache, "h", 900);
  put_twice(cache, "i", 900);
  CHECK(cache.bytes() <= 10'000);
  CHECK(cache.find("a") != nullptr);
  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("i") != nullptr);
}

TEST_CASE("whoever puts an image is told when others in use leave it no room") {
  WireImageCache cache(10'000);
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    put_twice(cache, key, 900);
    REQUIRE(cache.find(key) != nullptr);
  }
  CHECK_FALSE_MESSAGE(cache.put("new", image_of_size(900)), "the first time");
  const bool is_kept = cache.put("new", image_of_size(900));
  CHECK(is_kept == (cache.find("new") != nullptr));
}

TEST_CASE("an image that would fill the cache is not kept") {
  WireImageCache cache(10'000);
  put_twice(cache, "small", 10);
  put_twice(cache, "large", 5'000);
  CHECK(cache.find("large") == nullptr);
  CHECK(cache.find("small") != nullptr);
}
