#include "proxy/modes/record_handler.hpp"

#include "proxy/modes/forwarding.hpp"

namespace tapedeck {

awaitable<bool> RecordHandler::handle(const IncomingRequest& request, ClientChannel& client) {
  Forwarding forwarding(services_, pool_, client, request.to_request(), request.facts(), !request.has_body());
  co_return co_await forwarding.run();
}

awaitable<bool> RecordHandler::forward(Request request, const RequestFacts& facts, ClientChannel& client) {
  Forwarding forwarding(services_, pool_, client, std::move(request), facts, true);
  co_return co_await forwarding.run();
}

}  // namespace tapedeck
