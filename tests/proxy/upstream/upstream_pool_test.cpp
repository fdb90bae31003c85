#include "proxy/upstream/upstream_pool.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

using std::chrono::milliseconds;

// A pool and an upstream that takes connections and says nothing, on one context that runs as long as it has work.
struct Upstream {
  asio::io_context context;
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  Origin origin{"http", "127.0.0.1", acceptor.local_endpoint().port()};
  Options options = [this] {
    Options made;
    made.upstream = UpstreamUrl{"http", origin.host, origin.port};
    return made;
  }();
  UpstreamSettings settings{options, nullptr, {}, {}, {}, {}, {}};
  DeadlineList deadlines;
  UpstreamPool pool{settings, deadlines};

  std::unique_ptr<UpstreamConnection> acquire() {
    std::unique_ptr<UpstreamConnection> acquired;
    const auto ask = [&]() -> awaitable<void> {
      auto dialled = co_await pool.acquire(origin, true);
      acquired = std::move(std::get<0>(dialled));
    };
    asio::co_spawn(context, ask(), asio::detached);
    context.run();
    context.restart();
    return acquired;
  }
};

}  // namespace

TEST_CASE("an idle connection keeps its buffers for a moment, and itself until its time is over") {
  Upstream upstream;
  auto connection = upstream.acquire();
  REQUIRE(connection != nullptr);
  CHECK_FALSE(connection->reused);
  connection->input.prepare(16 * 1024);
  const auto before_release = std::chrono::steady_clock::now();
  upstream.pool.release(upstream.origin, std::move(connection));

  upstream.pool.tend_idle(before_release + ByteStream::memory_held_ms / 2);
  connection = upstream.acquire();
  REQUIRE(connection != nullptr);
  CHECK(connection->reused);
  CHECK(connection->input.capacity() >= 16 * 1024);

  upstream.pool.release(upstream.origin, std::move(connection));
  upstream.pool.tend_idle(std::chrono::steady_clock::now() + ByteStream::memory_held_ms);
  connection = upstream.acquire();
  REQUIRE(connection != nullptr);
  CHECK(connection->reused);
  CHECK(connection->input.capacity() == 0);

  upstream.pool.release(upstream.origin, std::move(connection));
  CHECK(upstream.pool.idle_count() == 1);
  const auto timeout = upstream.options.limits.upstream_idle_timeout_ms;
  upstream.pool.tend_idle(before_release + timeout - milliseconds(1));
  CHECK(upstream.pool.idle_count() == 1);
  upstream.pool.tend_idle(std::chrono::steady_clock::now() + timeout);
  CHECK(upstream.pool.idle_count() == 0);
}
