#include "proxy/upstream/upstream_pool.hpp"

#include <algorithm>
#include <utility>

#include "proxy/upstream/parent_tunnel.hpp"

namespace tapedeck {

namespace {

using Phase = NetworkFailure::Phase;
using Kind = NetworkFailure::Kind;

}  // namespace

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
  auto failure = co_await start_tls(*std::get<0>(dialled), origin);
  if (failure) co_return std::move(*failure);
  co_return dialled;
}

awaitable<Dialled> UpstreamPool::connect_tunnel(const Origin& origin) {
  co_return co_await connect_plain(origin);
}

awaitable<Dialled> UpstreamPool::connect_plain(const Origin& origin) {
  const auto target = dial_target(origin, settings_.options);
  if (const auto* parent = parent_of(settings_.parents, origin, target)) {
    co_return co_await connect_through(*parent, origin, target);
  }
  auto connected = co_await dial(settings_, target);
  if (auto* failure = std::get_if<NetworkFailure>(&connected)) co_return std::move(*failure);
  co_return std::make_unique<UpstreamConnection>(std::move(std::get<0>(connected)), deadlines_, settings_.direct);
}

// Plain requests are the parent's to forward; for anything else it opens a tunnel. So it does for plain requests that
// --connect-to sends to another place than their URL says.
awaitable<Dialled> UpstreamPool::connect_through(const ParentProxy& parent, const Origin& origin, DialTarget target) {
  if (auto refusal = refuse_through_parent(settings_, target)) co_return std::move(*refusal);
  const DialTarget parent_target{parent.host, parent.port, true};
  auto connected = co_await dial(settings_, parent_target);
  if (auto* failure = std::get_if<NetworkFailure>(&connected)) co_return parent_failure(parent, std::move(*failure));
  const bool forwards = origin.scheme == "http" && target.host == origin.host && target.port == origin.port;
  auto connection = std::make_unique<UpstreamConnection>(std::move(std::get<0>(connected)), deadlines_,
                                                         forwards ? settings_.through_parent : settings_.direct);
  if (!forwards) {
    auto refusal = co_await open_tunnel(*connection, parent, target);
    if (refusal) co_return std::move(*refusal);
  }
  co_return connection;
}

awaitable<std::optional<NetworkFailure>> UpstreamPool::open_tunnel(UpstreamConnection& connection,
                                                                   const ParentProxy& parent, DialTarget target) {
  const auto& limits = settings_.options.limits;
  const auto head = parent_connect_head(parent, target, settings_.direct.via);
  auto& stream = connection.stream;
  stream.expire_at(std::chrono::steady_clock::now() + limits.handshake_timeout_ms);
  auto error = co_await stream.write(head);
  ScannedHead answer;
  std::size_t interim = 0;
  while (!error) {
    const auto scan = scan_response_head(view_of(connection.input), limits, answer);
    if (scan.outcome == HeadScan::Outcome::refused) co_return parent_garbage(parent, scan.refusal);
    if (scan.outcome == HeadScan::Outcome::need_more) {
      error = co_await stream.read_some(connection.input);
      continue;
    }
    connection.input.consume(answer.head_bytes);
    if (answer.status >= 200) break;
    if (++interim > limits.interim_responses_max) {
      co_return parent_garbage(parent, {502, "interim-flood", "it sent too many 1xx answers"});
    }
  }
  stream.never_expire();
  if (error) co_return parent_failure(parent, network_failure(Phase::connect, error));
  co_return parent_refusal(parent, answer.status);
}

awaitable<std::optional<NetworkFailure>> UpstreamPool::start_tls(UpstreamConnection& connection, const Origin& origin) {
  auto engine = TlsEngine::for_upstream(settings_.tls_context.get(), origin.host);
  if (!engine) {
    co_return NetworkFailure{Phase::tls_handshake, Kind::certificate, NetworkFailure::Side::upstream,
                             engine.error().detail, 0};
  }
  auto& stream = connection.stream;
  // What a parent proxy sent behind its answer is the upstream's already.
  const std::string already_read(view_of(connection.input));
  connection.input.consume(already_read.size());
  stream.expire_at(std::chrono::steady_clock::now() + settings_.options.limits.handshake_timeout_ms);
  const auto error = co_await stream.handshake(std::move(*engine), already_read);
  stream.never_expire();
  if (!error) co_return std::nullopt;
  co_return network_failure(Phase::tls_handshake, error, stream.tls_failure());
}

// The one that fell idle last is the one that its upstream is least likely to have closed.
std::unique_ptr<UpstreamConnection> UpstreamPool::take_idle(const std::string& origin) {
  for (auto it = idle_.end(); it != idle_.begin();) {
    --it;
    if (it->origin != origin) continue;
    auto connection = std::move(it->connection);
    it = idle_.erase(it);
    // The upstream may have closed it meanwhile.
    if (!connection->stream.is_quiet()) continue;
    connection->reused = true;
    return connection;
  }
  return nullptr;
}

void UpstreamPool::release(const Origin& origin, std::unique_ptr<UpstreamConnection> connection) {
  // Bytes behind a whole response belong to no request.
  if (!connection->state.may_reuse() || connection->input.size() != 0 || connection->stream.has_pending()) return;
  const auto key = origin.text();
  const auto same = std::count_if(idle_.begin(), idle_.end(), [&](const Idle& idle) { return idle.origin == key; });
  if (static_cast<std::size_t>(same) >= idle_per_origin_max) return;
  if (idle_.size() >= idle_max) idle_.pop_front();
  connection->stream.never_expire();
  idle_.push_back({key, std::chrono::steady_clock::now(), std::move(connection)});
}

NetworkFailure UpstreamPool::refused_by_parent(int status) const {
  return *parent_refusal(*settings_.parents.for_http, status);
}

void UpstreamPool::tend_idle(SteadyTime now) {
  const auto closed_before = now - settings_.options.limits.upstream_idle_timeout_ms;
  while (!idle_.empty() && idle_.front().since <= closed_before) idle_.pop_front();
  for (auto& idle : idle_) {
    if (idle.since > now - ByteStream::memory_held_ms) break;
    if (!std::exchange(idle.holds_buffers, false)) continue;
    idle.connection->stream.release_idle_buffers();
    idle.connection->input.shrink_to_fit();
  }
}

}  // namespace tapedeck
