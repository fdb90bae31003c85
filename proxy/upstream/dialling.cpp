#include "proxy/upstream/dialling.hpp"

#include <algorithm>

#include "proxy/http/authority.hpp"

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
  TimeLimit(Target& target, Executor executor, std::chrono::milliseconds limit)
      : state_(std::make_shared<State>(target, SteadyTimer(executor, limit))) {
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
    State(Target& t, SteadyTimer w) : target(t), timer(std::move(w)) {}
    Target& target;
    SteadyTimer timer;
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
                                                       asio::redirect_error(use_awaitable, error));
  Resolved resolved;
  resolved.error = time_limit.outcome(error);
  for (const auto& entry : results) resolved.endpoints.push_back(entry.endpoint());
  co_return resolved;
}

// A name may have as many addresses as its owner likes.
constexpr std::size_t addresses_tried_max = 8;

NetworkFailure refused_by_policy(DialVerdict verdict) {
  return {Phase::connect, Kind::unreachable, NetworkFailure::Side::upstream,
          verdict == DialVerdict::own_listener
              ? "that is this proxy itself; name the real API with --upstream or --connect-to"
              : "it is a private or loopback address; name it with --upstream, --host or --connect-to to allow it",
          0};
}

}  // namespace

NetworkFailure network_failure(Phase phase, const error_code& error, const TlsFailure* tls) {
  if (tls) return {phase, tls->kind, NetworkFailure::Side::upstream, tls->text, 0};
  return {phase, kind_of(phase, error), NetworkFailure::Side::upstream, {}, 0};
}

std::optional<NetworkFailure> refuse_through_parent(const UpstreamSettings& settings, const DialTarget& target) {
  error_code error;
  const auto literal = asio::ip::make_address(target.host, error);
  auto verdict = DialVerdict::allowed;
  if (!error) verdict = dial_verdict({literal, target.port}, target.named, settings.own_listeners);
  if (error && is_loopback_host(target.host) && !target.named) verdict = DialVerdict::private_address;
  if (verdict == DialVerdict::allowed) return std::nullopt;
  return refused_by_policy(verdict);
}

awaitable<Connected> dial(const UpstreamSettings& settings, DialTarget target) {
  const auto executor = co_await asio::this_coro::executor;
  const auto limit = settings.options.limits.connect_timeout_ms;
  const auto resolved = co_await resolve(target, limit);
  if (resolved.error) co_return network_failure(Phase::resolve, resolved.error);
  const auto choice = dial_choice(resolved.endpoints, target.named, settings.own_listeners);
  if (choice.allowed.empty() && choice.refusal != DialVerdict::allowed) co_return refused_by_policy(choice.refusal);

  NetworkFailure last = network_failure(Phase::resolve, asio::error::host_not_found);
  const auto tried = std::min(choice.allowed.size(), addresses_tried_max);
  for (std::size_t i = 0; i < tried; ++i) {
    const auto& endpoint = choice.allowed[i];
    tcp::socket socket(executor);
    error_code error;
    {
      // All addresses together take no longer than one may, and each has its share.
      TimeLimit<tcp::socket> time_limit(socket, executor, limit / tried);
      co_await socket.async_connect(endpoint, asio::redirect_error(use_awaitable, error));
      error = time_limit.outcome(error);
    }
    if (!error) co_return socket;
    last = network_failure(Phase::connect, error);
  }
  co_return last;
}

}  // namespace tapedeck
