#include "proxy/connection/listener.hpp"

#include <future>

#include "proxy/runtime/child_process.hpp"
#include "proxy/runtime/log.hpp"
#include "proxy/runtime/worker.hpp"

namespace tapedeck {

namespace {

// Out of file descriptors, say: the connection waits in the backlog meanwhile.
constexpr std::chrono::milliseconds accept_retry_ms{100};

std::string address_text(const ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Failure listen_failure(const ListenAddress& address, const error_code& error) {
  const std::string mend = error == asio::error::address_in_use
                               ? "; another program has it: stop that one, or take a free port with --listen 0"
                               : "; choose another address with --listen ADDR:PORT";
  return {"listen-failed", Blame::us, "cannot listen on " + address_text(address) + ": " + error.message() + mend};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& context, const ListenAddress& address) {
  error_code error;
  const auto literal = asio::ip::make_address(address.host, error);
  if (error) return listen_failure(address, error);
  std::unique_ptr<Listener> listener(new Listener(context));
  auto& acceptor = listener->acceptor_;
  const tcp::endpoint wanted(literal, address.port);
  if (!error) acceptor.open(wanted.protocol(), error);
  if (!error) keep_from_children(acceptor.native_handle());
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) listener->endpoint_ = acceptor.local_endpoint(error);
  if (error) return listen_failure(address, error);
  listener->session_ = address.session;
  return listener;
}

void Listener::attach(std::vector<std::unique_ptr<Worker>>& workers, std::atomic<std::size_t>& open_connections,
                      std::size_t connections_max, Log& log) {
  workers_ = &workers;
  open_connections_ = &open_connections;
  connections_max_ = connections_max;
  log_ = &log;
  auto& context = workers.front()->context();
  acceptor_ = tcp::acceptor(context, endpoint_.protocol(), acceptor_.release());
  retry_.emplace(context);
}

void Listener::start() {
  started_ = true;
  asio::post(acceptor_.get_executor(), [this] { accept_next(); });
}

void Listener::accept_next() {
  if (!acceptor_.is_open()) return;
  auto& worker = *(*workers_)[next_worker_++ % workers_->size()];
  acceptor_.async_accept(worker.context(), [this, &worker](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return accept_later(error);
    failing_ = false;
    // Counted here and not by the worker, which may be busy for a while.
    if (open_connections_->load(std::memory_order_relaxed) < connections_max_) {
      open_connections_->fetch_add(1, std::memory_order_relaxed);
      worker.adopt(std::move(socket), session_);
    } else {
      log_->warning("a connection was refused: " + std::to_string(connections_max_) + " are open");
      error_code ignored;
      socket.close(ignored);
    }
    accept_next();
  });
}

void Listener::accept_later(const error_code& error) {
  const bool known = std::exchange(failing_, true);
  const std::string mend = error == asio::error::no_descriptors ? "; raise the limit of open files with ulimit -n" : "";
  if (!known) log_->warning("cannot accept connections for now: " + error.message() + mend);
  retry_->expires_after(accept_retry_ms);
  retry_->async_wait([this](const error_code& cancelled) {
    if (!cancelled) accept_next();
  });
}

// The second post runs behind what was accepted before, so that no connection comes to a worker that has ended.
void Listener::stop() {
  if (!started_) return;
  std::promise<void> stopped;
  asio::post(acceptor_.get_executor(), [this, &stopped] {
    error_code ignored;
    acceptor_.close(ignored);
    retry_->cancel();
    asio::post(acceptor_.get_executor(), [&stopped] { stopped.set_value(); });
  });
  stopped.get_future().wait();
}

}  // namespace tapedeck
