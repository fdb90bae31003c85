#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_set>

#include "proxy/connection/client_session.hpp"

namespace tapedeck {

// What makes a worker's own handler: handlers are not shared, since each has caches and a reader of its own.
using MakeHandler = std::function<std::unique_ptr<ExchangeHandler>(asio::io_context&, UpstreamPool*)>;

// What every worker is given. All of it outlives the workers.
struct WorkerSettings {
  const Options& options;
  const OriginRules& origin_rules;
  LeafCertificates& leaf_certificates;
  const UpstreamSettings* upstream;  // null: replay, which has nothing that could dial
  const Redactor& redactor;
  RunStatistics& statistics;
  Log& log;
  std::atomic<std::size_t>& open_connections;
  MakeHandler make_handler;
};

// One io_context and its one thread. A connection belongs to one worker for life; nothing in it is locked.
class Worker {
 public:
  explicit Worker(const WorkerSettings& settings);
  ~Worker();

  void start();
  asio::io_context& context() { return context_; }
  // Takes a connection that was accepted on this worker's context and counted among the open ones. `session` is its
  // listener's and outlives it. Thread-safe.
  void adopt(tcp::socket socket, std::string_view session);

  // Idle connections are closed at once, exchanges that are going on may end until `cut_after`. Thread-safe.
  void begin_stop(std::chrono::milliseconds cut_after);
  void join();
  // At once, whatever is going on.
  void halt();

 private:
  awaitable<void> run_session(tcp::socket socket, std::string_view listener_session);
  awaitable<void> sweep();
  void end_when_empty();

  const WorkerSettings& settings_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  SteadyTimer sweep_timer_;
  DeadlineList deadlines_;
  std::unique_ptr<UpstreamPool> pool_;
  std::unique_ptr<ExchangeHandler> handler_;
  std::unique_ptr<SessionServices> services_;
  std::unordered_set<ClientSession*> sessions_;
  bool stopping_ = false;
  SteadyTime cut_at_ = SteadyTime::max();
  std::thread thread_;
};

}  // namespace tapedeck
