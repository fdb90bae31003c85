// What a ClientSession does with CONNECT and with hosts that are not intercepted.

#include "proxy/connection/client_session.hpp"
#include "proxy/connection/session_choice.hpp"
#include "proxy/connection/tunnel.hpp"
#include "proxy/modes/problem.hpp"
#include "proxy/runtime/log.hpp"
#include "proxy/tls/client_hello.hpp"
#include "proxy/tls/tls_names.hpp"

namespace tapedeck {

namespace {

constexpr std::string_view established = "HTTP/1.1 200 Connection established\r\n\r\n";
constexpr std::chrono::milliseconds client_speaks_first_ms{500};

SteadyTime after(std::chrono::milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

}  // namespace

std::string host_and_port(const Tunnel& tunnel) {
  const bool v6 = tunnel.host.find(':') != std::string::npos;
  return (v6 ? "[" + tunnel.host + "]" : tunnel.host) + ":" + std::to_string(tunnel.port);
}

awaitable<ClientSession::Next> ClientSession::serve_connect(const OriginDecision& decision) {
  origin_memo_.forget();
  way_here_.clear();
  auto session = choose_session({listener_session_, {}, services_.options.session}, head_);
  if (!session) co_return co_await refuse(400, session.error().code, session.error().detail);
  tunnel_session_ = std::move(*session);
  if (const auto* intercept = std::get_if<Intercept>(&decision)) {
    accept_connect({intercept->host, intercept->port, is_ip_literal(intercept->host)});
    may_start_tls_ = true;
    co_return Next::go_on;
  }
  if (const auto* address = std::get_if<PeekClientHello>(&decision)) {
    accept_connect({address->host, address->port, true});
    peeking_ = true;
    co_return Next::go_on;
  }
  const auto& tunnel = std::get<Tunnel>(decision);
  if (!services_.tunnel_pool) co_return co_await refuse_tunnel(tunnel);
  if (!may_tunnel()) co_return co_await refuse_passage(tunnel);
  co_return co_await open_tunnel(tunnel, false);
}

void ClientSession::accept_connect(Authority authority) {
  tunnel_ = std::move(authority);
  output_.text() += established;
  input_.consume(head_.head_bytes);
}

// A CONNECT to an address that nobody named: the name in the ClientHello may be one that is intercepted (decision 4).
awaitable<ClientSession::Next> ClientSession::peek() {
  const auto hello = parse_client_hello(view_of(input_));
  if (hello.outcome == ClientHello::Outcome::need_more) co_return co_await read_more();
  peeking_ = false;
  stream_.never_expire();
  std::optional<std::string_view> sni;
  if (hello.outcome == ClientHello::Outcome::name) sni = hello.name;
  const auto decision = decide_peeked_tunnel(*tunnel_, sni, services_.origin_rules);
  if (const auto* intercept = std::get_if<Intercept>(&decision)) {
    tunnel_ = Authority{intercept->host, intercept->port, false};
    way_here_.clear();
    dialled_.reset();
    may_start_tls_ = true;
    co_return Next::go_on;
  }
  if (!may_tunnel()) {
    miss_all_ = true;
    may_start_tls_ = true;
    co_return Next::go_on;
  }
  const Tunnel tunnel{tunnel_->host, *tunnel_->port};
  co_return co_await open_tunnel(tunnel, true);
}

bool ClientSession::may_tunnel() const {
  return services_.tunnel_pool && !services_.options.allow_remote;
}

// A client of a protocol in which the server speaks first (SMTP, SSH) will not say for whom it came. After a moment its
// address is dialled, and what speaks first then decides.
awaitable<ClientSession::Next> ClientSession::await_either() {
  if (!co_await flush()) co_return Next::end;
  stream_.expire_at(after(client_speaks_first_ms));
  auto error = co_await stream_.read_some(input_);
  const auto head_timeout = services_.options.limits.client_head_timeout_ms;
  if (error != asio::error::timed_out) {
    stream_.expire_at(after(head_timeout));
    co_return error ? Next::end : Next::go_on;
  }

  const Origin origin{"https", tunnel_->host, *tunnel_->port};
  auto dialled = co_await services_.tunnel_pool->connect_tunnel(origin);
  if (const auto* failure = std::get_if<NetworkFailure>(&dialled)) {
    // What the client may still say can be for another place.
    services_.log.warning("no tunnel yet: " + problem_of(*failure, origin).detail);
    co_return co_await read_more();
  }
  dialled_ = std::move(std::get<0>(dialled));
  struct Watch {
    ByteStream* client;  // null once nobody waits
    bool server_spoke = false;
  };
  const auto watch = std::make_shared<Watch>();
  watch->client = &stream_;
  watch->server_spoke = dialled_->input.size() != 0;
  dialled_->stream.socket().async_wait(tcp::socket::wait_read, [watch](const error_code& cancelled) {
    if (cancelled || watch->client == nullptr) return;
    watch->server_spoke = true;
    watch->client->cancel();
  });
  stream_.expire_at(after(services_.options.limits.client_idle_timeout_ms));
  if (!watch->server_spoke) error = co_await stream_.read_some(input_);
  watch->client = nullptr;
  dialled_->stream.cancel();
  if (watch->server_spoke) {
    const Tunnel tunnel{tunnel_->host, *tunnel_->port};
    co_return co_await open_tunnel(tunnel, true);
  }
  stream_.expire_at(after(head_timeout));
  co_return error ? Next::end : Next::go_on;
}

// Other machines may use this proxy for what it was started for, and for nothing else.
awaitable<ClientSession::Next> ClientSession::refuse_passage(const Tunnel& tunnel) {
  services_.log.warning("refused a way to " + host_and_port(tunnel) + ", which is not intercepted (--allow-remote)");
  const auto detail = host_and_port(tunnel) + " is not among the hosts that are intercepted, and with --allow-remote " +
                      "nothing else passes; name it with --host";
  co_return co_await refuse(403, "not-intercepted", detail);
}

// A refused CONNECT carries the reason in its status line: most clients show nothing else of it.
awaitable<ClientSession::Next> ClientSession::refuse_tunnel(const Tunnel& tunnel) {
  services_.statistics.count_request();
  answer_not_intercepted("CONNECT " + host_and_port(tunnel), tunnel.host, true);
  lingers_ = true;
  co_return Next::end;
}

// Replay forwards nothing, so a request to a host that nobody named can only miss.
void ClientSession::answer_not_intercepted(const std::string& request_line, const std::string& host, bool close) {
  MissReport report;
  report.reason = MissReason::not_intercepted;
  report.request_line = request_line;
  report.detail = host + " is not among the hosts that are intercepted, and replay forwards nothing";
  report.suggestion = "--host " + host;
  services_.statistics.note_miss(report);
  services_.log.warning("miss (not-intercepted): " + report.request_line + ": " + report.detail);
  auto response = miss_response(report, services_.options.miss_status);
  auto context = own_context(head_, close);
  if (head_.method == "CONNECT") {
    response.reason = "not-intercepted";
    context.request_method = "GET";  // unlike a 2xx to CONNECT, a refusal has a body
  }
  output_.text() += served_bytes(response, context, {});
}

// Dialled before the 200, so that a client learns of a failure by its status; never sniffed (decision 4). `answered`
// when the 200 had to be given first, to see a ClientHello.
awaitable<ClientSession::Next> ClientSession::open_tunnel(const Tunnel& tunnel, bool answered) {
  services_.statistics.note_tunnel(host_and_port(tunnel));
  const std::string early(view_of(input_).substr(answered ? 0 : head_.head_bytes));
  if (!dialled_) {
    const Origin origin{"https", tunnel.host, tunnel.port};
    auto dialled = co_await services_.tunnel_pool->connect_tunnel(origin);
    if (const auto* failure = std::get_if<NetworkFailure>(&dialled)) {
      const auto problem = problem_of(*failure, origin);
      services_.log.warning("no tunnel: " + problem.detail);
      if (answered) co_return Next::end;
      ServedContext context;
      context.close = true;
      output_.text() += served_bytes(problem_response(problem), context, origin);
      lingers_ = true;
      co_return Next::end;
    }
    dialled_ = std::move(std::get<0>(dialled));
  }
  if (!answered) output_.text() += established;
  output_.text() += view_of(dialled_->input);
  if (!co_await flush()) co_return Next::end;
  co_await relay(stream_, dialled_->stream, early, services_.options.limits.client_idle_timeout_ms);
  co_return Next::end;
}

}  // namespace tapedeck
