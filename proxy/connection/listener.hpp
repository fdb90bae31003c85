#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "config/options.hpp"
#include "config/result.hpp"
#include "proxy/runtime/asio.hpp"

namespace tapedeck {

class Worker;
class Log;

// The one acceptor of an address: hands its connections round among the workers. It waits on the loop of the first, so
// that with one worker no other thread has to run and wake it for a new connection.
class Listener {
 public:
  // Failure `listen-failed` names the address and the mend. From here on connections wait in the backlog.
  static Result<std::unique_ptr<Listener>> open(asio::io_context& context, const ListenAddress& address);

  // Moves it to the loop of the first worker. The workers outlive this and do not run yet.
  void attach(std::vector<std::unique_ptr<Worker>>& workers, std::atomic<std::size_t>& open_connections,
              std::size_t connections_max, Log& log);
  // The workers run by now. Nothing is accepted before.
  void start();
  // Once it returns nothing more is accepted. Not for a worker's thread, whose loop it waits for.
  void stop();
  tcp::endpoint endpoint() const { return endpoint_; }
  // Of all that comes in here; empty when the clients choose.
  const std::string& session() const { return session_; }

 private:
  explicit Listener(asio::io_context& context) : acceptor_(context) {}
  void accept_next();
  void accept_later(const error_code& error);

  tcp::acceptor acceptor_;
  std::optional<SteadyTimer> retry_;
  tcp::endpoint endpoint_;
  std::string session_;
  std::vector<std::unique_ptr<Worker>>* workers_ = nullptr;
  std::atomic<std::size_t>* open_connections_ = nullptr;
  std::size_t connections_max_ = 0;
  Log* log_ = nullptr;
  std::size_t next_worker_ = 0;
  bool started_ = false;
  bool failing_ = false;  // to accept, which was said
};

}  // namespace tapedeck
