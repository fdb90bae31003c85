#pragma once

// The part of Asio that the program uses, under one name. Also the floor's precompiled header.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tapedeck {

namespace asio = boost::asio;
using boost::system::error_code;

// Everything runs on an io_context, and its executor is named: any_io_executor, Asio's default, costs virtual calls and
// counts at each step of each operation.
using Executor = asio::io_context::executor_type;

template <class T>
using awaitable = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> use_awaitable{};
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

struct tcp {
  using socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
  using acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
  using resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
  using endpoint = asio::ip::tcp::endpoint;
  using no_delay = asio::ip::tcp::no_delay;
};

}  // namespace tapedeck
