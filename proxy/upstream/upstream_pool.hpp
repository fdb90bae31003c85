#pragma once

#include <list>
#include <memory>
#include <string>
#include <variant>

#include "proxy/connection/byte_stream.hpp"
#include "proxy/http/connection_state.hpp"
#include "proxy/upstream/dialling.hpp"

namespace tapedeck {

// A connection to an upstream, with what was read of it and not yet used.
struct UpstreamConnection {
  UpstreamConnection(tcp::socket socket, DeadlineList& deadlines, const NextHop& hop)
      : stream(std::move(socket), deadlines), next_hop(&hop) {}

  ByteStream stream;
  InputBuffer input;
  ConnectionState state;
  const NextHop* next_hop;  // how requests go out on it
  bool reused = false;
};

using Dialled = std::variant<std::unique_ptr<UpstreamConnection>, NetworkFailure>;

// Connections of one worker to upstreams, kept for reuse while they are idle. Belongs to that worker's thread.
class UpstreamPool {
 public:
  static constexpr std::size_t idle_per_origin_max = 32;
  static constexpr std::size_t idle_max = 128;  // over all origins; the one that is idle longest goes first

  UpstreamPool(const UpstreamSettings& settings, DeadlineList& deadlines)
      : settings_(settings), deadlines_(deadlines) {}

  // An idle connection that is still open, or a new one: resolved, connected, and in TLS when the origin's scheme asks
  // for it, with the certificate verified for the origin's host. Dialled, or through the parent proxy.
  awaitable<Dialled> acquire(const Origin& origin, bool may_reuse);
  // The same without TLS, for tunnels. `input` may hold bytes already, which are the upstream's.
  awaitable<Dialled> connect_tunnel(const Origin& origin);
  // Takes back a connection; it is kept if its state says that another request may follow.
  void release(const Origin& origin, std::unique_ptr<UpstreamConnection> connection);
  // What it means that the parent which forwards plain requests answered 407: that is no upstream's answer.
  NetworkFailure refused_by_parent(int status) const;
  void close_idle() { idle_.clear(); }
  // To be called now and then: closes what has been idle for too long, and frees the buffers of what is not busy.
  void tend_idle(SteadyTime now);
  std::size_t idle_count() const { return idle_.size(); }

  const std::string& pseudonym() const { return settings_.pseudonym; }

 private:
  struct Idle {
    std::string origin;
    SteadyTime since;
    std::unique_ptr<UpstreamConnection> connection;
    bool holds_buffers = true;
  };

  awaitable<Dialled> connect(const Origin& origin);
  awaitable<Dialled> connect_plain(const Origin& origin);
  awaitable<Dialled> connect_through(const ParentProxy& parent, const Origin& origin, DialTarget target);
  awaitable<std::optional<NetworkFailure>> open_tunnel(UpstreamConnection& connection, const ParentProxy& parent,
                                                       DialTarget target);
  awaitable<std::optional<NetworkFailure>> start_tls(UpstreamConnection& connection, const Origin& origin);
  std::unique_ptr<UpstreamConnection> take_idle(const std::string& origin);

  const UpstreamSettings& settings_;
  DeadlineList& deadlines_;
  std::list<Idle> idle_;  // in the order in which they fell idle
};

}  // namespace tapedeck
