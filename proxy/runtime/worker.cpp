#include "proxy/runtime/worker.hpp"

#include <pthread.h>

#include "proxy/runtime/log.hpp"

namespace tapedeck {

Worker::Worker(const WorkerSettings& settings)
    : settings_(settings), work_(context_.get_executor()), sweep_timer_(context_) {
  if (settings.upstream) pool_ = std::make_unique<UpstreamPool>(*settings.upstream, deadlines_);
  handler_ = settings.make_handler(context_, pool_.get());
  services_ = std::make_unique<SessionServices>(
      SessionServices{settings.options, settings.origin_rules, settings.leaf_certificates, *handler_, pool_.get(),
                      deadlines_, settings.redactor, settings.statistics, settings.log});
}

Worker::~Worker() {
  halt();
}

void Worker::start() {
  asio::co_spawn(context_, sweep(), asio::detached);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "worker");  // for top, and for who measures us thread by thread
    context_.run();
  });
}

void Worker::adopt(tcp::socket socket, std::string_view session) {
  asio::co_spawn(context_, run_session(std::move(socket), session), asio::detached);
}

// Whatever escapes a session is a bug; it costs that session and is said, and the others go on.
awaitable<void> Worker::run_session(tcp::socket socket, std::string_view listener_session) {
  try {
    ClientSession session(*services_, std::move(socket), listener_session);
    sessions_.insert(&session);
    if (stopping_) session.stop_when_idle();
    try {
      co_await session.run();
    } catch (...) {
      sessions_.erase(&session);
      throw;
    }
    sessions_.erase(&session);
  } catch (const std::exception& error) {
    settings_.log.error(std::string("a connection was ended by an internal error: ") + error.what());
  }
  settings_.open_connections.fetch_sub(1, std::memory_order_relaxed);
  end_when_empty();
}

awaitable<void> Worker::sweep() {
  while (work_.owns_work()) {
    sweep_timer_.expires_after(DeadlineList::sweep_interval_ms);
    error_code error;
    co_await sweep_timer_.async_wait(asio::redirect_error(use_awaitable, error));
    const auto now = std::chrono::steady_clock::now();
    deadlines_.sweep(now);
    if (pool_) pool_->tend_idle(now);
    if (stopping_ && now >= cut_at_) deadlines_.cut_all();
  }
}

void Worker::begin_stop(std::chrono::milliseconds cut_after) {
  asio::post(context_, [this, cut_after] {
    stopping_ = true;
    cut_at_ = std::chrono::steady_clock::now() + cut_after;
    for (auto* session : sessions_) session->stop_when_idle();
    end_when_empty();
  });
}

void Worker::end_when_empty() {
  if (!stopping_ || !sessions_.empty() || !work_.owns_work()) return;
  work_.reset();
  sweep_timer_.cancel();
  if (pool_) pool_->close_idle();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::halt() {
  context_.stop();
  join();
}

}  // namespace tapedeck
