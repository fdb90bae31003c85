#include "proxy/inspector/admin_server.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>

#include "proxy/runtime/child_process.hpp"

namespace tapedeck {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using StringResponse = http::response<http::string_body>;

constexpr std::chrono::seconds request_timeout_s{10};

bool token_matches(std::string_view authorization, const std::string& token) {
  const std::string expected = "Bearer " + token;
  return authorization.size() == expected.size() &&
         CRYPTO_memcmp(authorization.data(), expected.data(), expected.size()) == 0;
}

StringResponse answer(const http::request<http::empty_body>& request, http::status status, std::string body) {
  StringResponse response{status, request.version()};
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(body);
  response.keep_alive(false);
  response.prepare_payload();
  return response;
}

std::string status_json(const RunStatistics::Snapshot& snapshot) {
  return nlohmann::ordered_json{{"requests", snapshot.requests},
                                {"hits", snapshot.hits},
                                {"misses", snapshot.misses},
                                {"recorded", snapshot.recorded}}
             .dump() +
         "\n";
}

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::open(asio::io_context& context, const ListenAddress& address,
                                                       std::string token, const RunStatistics& statistics) {
  std::unique_ptr<AdminServer> server(new AdminServer(context, std::move(token), statistics));
  error_code error;
  const tcp::endpoint wanted(asio::ip::make_address(address.host, error), address.port);
  auto& acceptor = server->acceptor_;
  if (!error) acceptor.open(wanted.protocol(), error);
  if (!error) keep_from_children(acceptor.native_handle());
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) server->endpoint_ = acceptor.local_endpoint(error);
  if (error) {
    return Failure{"admin-listen-failed", Blame::us,
                   "cannot listen for the admin API on " + address.host + ":" + std::to_string(address.port) + ": " +
                       error.message() + "; choose another with --admin ADDR:PORT or leave it out with --admin off"};
  }
  server->accept_next();
  return server;
}

void AdminServer::accept_next() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error) return;
    asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    accept_next();
  });
}

awaitable<void> AdminServer::serve(tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  stream.expires_after(request_timeout_s);
  beast::flat_buffer buffer(16 * 1024);
  http::request<http::empty_body> request;
  error_code error;
  co_await http::async_read(stream, buffer, request, asio::redirect_error(use_awaitable, error));
  if (error) co_return;
  const auto authorization = request[http::field::authorization];
  auto response =
      !token_matches({authorization.data(), authorization.size()}, token_)
          ? answer(request, http::status::unauthorized, "{\"error\":\"the token of the ready file is needed\"}\n")
      : request.method() == http::verb::get && request.target() == "/status"
          ? answer(request, http::status::ok, status_json(statistics_.snapshot()))
          : answer(request, http::status::not_found, "{\"error\":\"there is only GET /status\"}\n");
  co_await http::async_write(stream, response, asio::redirect_error(use_awaitable, error));
  stream.socket().shutdown(tcp::socket::shutdown_send, error);
}

}  // namespace tapedeck
