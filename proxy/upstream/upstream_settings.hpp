#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "config/options.hpp"
#include "proxy/http/served_head.hpp"
#include "proxy/runtime/asio.hpp"
#include "proxy/upstream/parent_proxy.hpp"

namespace tapedeck {

// What all workers' pools share; nothing of it changes once they have started.
struct UpstreamSettings {
  const Options& options;
  std::shared_ptr<SSL_CTX> tls_context;
  std::vector<tcp::endpoint> own_listeners;  // where we would meet ourselves (meeting_places())
  std::string pseudonym;                     // of this run in Via
  ParentProxies parents;
  NextHop direct;          // to an upstream that is dialled, or reached through a parent's tunnel
  NextHop through_parent;  // to a parent that forwards plain requests
};

}  // namespace tapedeck
