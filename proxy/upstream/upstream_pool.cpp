#include "proxy/upstream/upstream_pool.hpp"

#include "proxy/tls/leaf_certificates.hpp"

namespace tapedeck {

namespace {

using Phase = NetworkFailure::Phase;
using Kind = NetworkFailure::Kind;

Kind kind_of(Phase phase, const error_code& error) {
  namespace e = asio::error;
  if (error == e::connection_refused) return Kind::refused;
  if (error == e::timed_out) return Kind::timeout;
  if (error == e::connection_reset || error == e::broken_pipe || error == e::connection_aborted) return Kind::reset;
  if (error == e::eof) return Kind::closed;
  if (phase == Phase::resolve) return Kind::not_found;
  if (phase == Phase::connect) return Kind::unreachable;
  return Kind::reset;
}

// Runs one resolver or connect operation with a time limit: the timer cancels whatever `target` is doing.
template <class Target>
class TimeLimit {
 public:
  TimeLimit(Target& target, asio::any_io_executor executor, std::chrono::milliseconds limit)
      : state_(std::make_shared<State>(target, asio::steady_timer(executor, limit))) {
    state_->timer.async_wait([state = state_](const error_code& error) {
      if (error || state->over) return;
      state->expired = true;
      state->target.cancel();
    });
  }
  ~TimeLimit() {
    state_->over = true;
    state_->timer.cancel();
  }
  error_code outcome(const error_code& error) const {
    return state_->expired ? error_code(asio::error::timed_out) : error;
  }

 private:
  struct State {
    State(Target& t, asio::steady_timer w) : target(t), timer(std::move(w)) {}
    Target& target;
    asio::steady_timer timer;
    bool expired = false;
    bool over = false;
  };
  std::shared_ptr<State> state_;
};

struct Resolved {
  std::vector<tcp::endpoint> endpoints;
  error_code error;
};

awaitable<Resolved> resolve(const DialTarget& target, std::chrono::milliseconds limit) {
  error_code error;
  if (const auto literal = asio::ip::make_address(target.host, error); !error) {
    co_return Resolved{{tcp::endpoint(literal, target.port)}, {}};
  }
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  TimeLimit<tcp::resolver> time_limit(resolver, executor, limit);
  error.clear();
  const auto results = co_await resolver.async_resolve(target.host, std::to_string(target.port),
                                                       asio::redirect_error(asio::use_awaitable, error));
  Resolved resolved;
  resolved.error = time_limit.outcome(error);
  for (const auto& entry : results) resolved.endpoints.push_back(entry.endpoint());
  co_return resolved;
}

NetworkFailure refused_by_policy(DialVerdict verdict) {
  return {Phase::connect, Kind::unreachable, NetworkFailure::Side::upstream,
          verdict == DialVerdict::own_listener
              ? "that is this proxy itself; name the real API with --upstream or --connect-to"
              : "it is a private or loopback address; name it with --upstream, --host or --connect-to to allow it",
          0};
}

}  // namespace

NetworkFailure network_failure(Phase phase, const error_code& error) {
  return {phase, kind_of(phase, error), NetworkFailure::Side::upstream, {}, 0};
}

awaitable<Dialled> UpstreamPool::acquire(const Origin& origin, bool may_reuse) {
  if (may_reuse) {
    if (auto idle = take_idle(origin.text())) co_return Dialled(std::move(idle));
  }
  auto dialled = co_await connect(origin);
  co_return dialled;
}

awaitable<Dialled> UpstreamPool::connect(const Origin& origin) {
  auto dialled = co_await connect_plain(origin);
  if (origin.scheme != "https" || std::holds_alternative<NetworkFailure>(dialled)) co_return dialled;
  bool failed = false;
  auto failure = co_await start_tls(*std::get<0>(dialled), origin, failed);
  if (failed) co_return failure;
  co_return dialled;
}

awaitable<Dialled> UpstreamPool::connect_plain(const Origin& origin) {
  const auto executor = co_await asio::this_coro::executor;
  const auto target = dial_target(origin, settings_.options);
  const auto limit = settings_.options.limits.connect_timeout_ms;
  const auto resolved = co_await resolve(target, limit);
  if (resolved.error) co_return network_failure(Phase::resolve, resolved.error);

  NetworkFailure last = network_failure(Phase::resolve, asio::error::host_not_found);
  for (const auto& endpoint : resolved.endpoints) {
    const auto verdict = dial_verdict(endpoint, target.named, settings_.own_listeners);
    if (verdict != DialVerdict::allowed) {
      last = refused_by_policy(verdict);
      continue;
    }
    tcp::socket socket(executor);
    error_code error;
    {
      TimeLimit<tcp::socket> time_limit(socket, executor, limit);
      co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
      error = time_limit.outcome(error);
    }
    if (!error) {
      socket.set_option(tcp::no_delay(true), error);
      co_return std::make_unique<UpstreamConnection>(std::move(socket), deadlines_);
    }
    last = network_failure(Phase::connect, error);
  }
  co_return last;
}

awaitable<NetworkFailure> UpstreamPool::start_tls(UpstreamConnection& connection, const Origin& origin, bool& failed) {
  failed = true;
  auto engine = TlsEngine::for_upstream(settings_.tls_context.get(), origin.host);
  if (!engine) {
    co_return NetworkFailure{Phase::tls_handshake, Kind::certificate, NetworkFailure::Side::upstream,
                             engine.error().detail, 0};
  }
  auto& stream = connection.stream;
  stream.expire_at(std::chrono::steady_clock::now() + settings_.options.limits.handshake_timeout_ms);
  const auto error = co_await stream.handshake(std::move(*engine), {});
  stream.never_expire();
  if (!error) {
    failed = false;
    co_return NetworkFailure{};
  }
  auto failure = network_failure(Phase::tls_handshake, error);
  if (const auto* tls = stream.tls_failure()) {
    failure.kind = tls->kind;
    failure.code = tls->text;
  }
  co_return failure;
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take_idle(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  auto& idle = found->second;
  while (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    // The deadline closes what has been idle for too long; the upstream may have closed it as well.
    if (!connection->stream.is_open() || !connection->stream.is_quiet()) continue;
    connection->stream.never_expire();
    connection->reused = true;
    return connection;
  }
  return nullptr;
}

void UpstreamPool::release(const Origin& origin, std::unique_ptr<UpstreamConnection> connection) {
  // Bytes behind a whole response belong to no request.
  if (!connection->state.may_reuse() || connection->input.size() != 0) return;
  auto& idle = idle_[origin.text()];
  if (idle.size() >= idle_per_origin_max) return;
  connection->stream.expire_at(std::chrono::steady_clock::now() + settings_.options.limits.upstream_idle_timeout_ms);
  idle.push_back(std::move(connection));
}

}  // namespace tapedeck
