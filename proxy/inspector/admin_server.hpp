#pragma once

#include <memory>
#include <string>

#include "config/options.hpp"
#include "config/result.hpp"
#include "proxy/runtime/asio.hpp"
#include "proxy/runtime/run_statistics.hpp"

namespace tapedeck {

// The admin API, on a port and behind a token of its own, so that nothing of it is reachable through the proxy's port:
// GET /status tells what the run has seen so far, as JSON. Requests carry `Authorization: Bearer TOKEN`.
// Lives on the main thread's context.
class AdminServer {
 public:
  static Result<std::unique_ptr<AdminServer>> open(asio::io_context& context, const ListenAddress& address,
                                                   std::string token, const RunStatistics& statistics);

  tcp::endpoint endpoint() const { return endpoint_; }
  const std::string& token() const { return token_; }

 private:
  AdminServer(asio::io_context& context, std::string token, const RunStatistics& statistics)
      : acceptor_(context), token_(std::move(token)), statistics_(statistics) {}
  void accept_next();
  awaitable<void> serve(tcp::socket socket);

  tcp::acceptor acceptor_;
  tcp::endpoint endpoint_;
  std::string token_;
  const RunStatistics& statistics_;
};

}  // namespace tapedeck
