#include "proxy/connection/tunnel.hpp"

namespace tapedeck {

namespace {

// Either direction keeps both connections alive.
awaitable<void> carry(ByteStream& from, ByteStream& to, std::chrono::milliseconds idle_timeout) {
  InputBuffer buffer;
  while (true) {
    const auto deadline = std::chrono::steady_clock::now() + idle_timeout;
    from.expire_at(deadline);
    to.expire_at(deadline);
    if (const auto error = co_await from.read_some(buffer)) {
      if (error == asio::error::eof) {
        error_code ignored;
        to.socket().shutdown(tcp::socket::shutdown_send, ignored);
      } else {
        to.cut();
      }
      co_return;
    }
    if (co_await to.write(view_of(buffer))) {
      from.cut();
      co_return;
    }
    buffer.consume(buffer.size());
  }
}

}  // namespace

awaitable<void> relay(ByteStream& client, ByteStream& upstream, std::string_view early,
                      std::chrono::milliseconds idle_timeout) {
  upstream.expire_at(std::chrono::steady_clock::now() + idle_timeout);
  const auto unsent = co_await upstream.write(early);
  if (unsent) co_return;
  const auto executor = co_await asio::this_coro::executor;
  SteadyTimer answers_ended(executor, SteadyTime::max());
  bool ended = false;
  const auto carry_answers = [&]() -> awaitable<void> {
    co_await carry(upstream, client, idle_timeout);
    ended = true;
    answers_ended.cancel();
  };
  asio::co_spawn(executor, carry_answers(), asio::detached);
  co_await carry(client, upstream, idle_timeout);
  error_code ignored;
  if (!ended) co_await answers_ended.async_wait(asio::redirect_error(use_awaitable, ignored));
}

}  // namespace tapedeck
