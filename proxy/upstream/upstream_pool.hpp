#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "config/options.hpp"
#include "proxy/connection/byte_stream.hpp"
#include "proxy/http/connection_state.hpp"
#include "proxy/upstream/dial_policy.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// A connection to an upstream, with what was read of it and not yet used.
struct UpstreamConnection {
  UpstreamConnection(tcp::socket socket, DeadlineList& deadlines) : stream(std::move(socket), deadlines) {}

  ByteStream stream;
  InputBuffer input;
  ConnectionState state;
  bool reused = false;
};

using Dialled = std::variant<std::unique_ptr<UpstreamConnection>, NetworkFailure>;

// What all workers' pools share; immutable.
struct UpstreamSettings {
  const Options& options;
  std::shared_ptr<SSL_CTX> tls_context;
  std::vector<tcp::endpoint> own_listeners;
};

// Connections of one worker to upstreams, kept for reuse while they are idle. Belongs to that worker's thread.
class UpstreamPool {
 public:
  static constexpr std::size_t idle_per_origin_max = 32;

  UpstreamPool(const UpstreamSettings& settings, DeadlineList& deadlines)
      : settings_(settings), deadlines_(deadlines) {}

  // An idle connection that is still open, or a new one: resolved, connected, and in TLS when the origin's scheme asks
  // for it, with the certificate verified for the origin's host.
  awaitable<Dialled> acquire(const Origin& origin, bool may_reuse);
  // The same without TLS, for tunnels.
  awaitable<Dialled> connect_plain(const Origin& origin);
  // Takes back a connection; it is kept if its state says that another request may follow.
  void release(const Origin& origin, std::unique_ptr<UpstreamConnection> connection);
  void close_idle() { idle_.clear(); }

 private:
  awaitable<Dialled> connect(const Origin& origin);
  std::unique_ptr<UpstreamConnection> take_idle(const std::string& key);
  awaitable<NetworkFailure> start_tls(UpstreamConnection& connection, const Origin& origin, bool& failed);

  const UpstreamSettings& settings_;
  DeadlineList& deadlines_;
  std::unordered_map<std::string, std::vector<std::unique_ptr<UpstreamConnection>>> idle_;
};

// The words of the failure table for what the system reported in a phase.
NetworkFailure network_failure(NetworkFailure::Phase phase, const error_code& error);

}  // namespace tapedeck
