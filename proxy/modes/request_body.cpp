#include "proxy/modes/request_body.hpp"

namespace tapedeck {

awaitable<std::optional<HeadRefusal>> read_whole_body(Request& request, bool expects_continue, ClientChannel& client,
                                                      std::size_t body_bytes_max) {
  if (expects_continue && !client.has_unread_bytes()) {
    client.output() += "HTTP/1.1 100 Continue\r\n\r\n";
    if (!co_await client.flush()) co_return HeadRefusal{400, "client-left", "the client left"};
  }
  while (true) {
    const auto event = co_await client.read_body();
    if (event.kind == BodyDecoder::Event::Kind::refused) co_return event.refusal;
    if (event.kind == BodyDecoder::Event::Kind::end) break;
    if (event.data.size() > body_bytes_max - request.body.bytes.size()) {
      co_return HeadRefusal{413, "body-too-large", "the request's body is larger than what can be matched (64 MiB)"};
    }
    request.body.bytes += event.data;
  }
  request.trailers = client.request_trailers();
  co_return std::nullopt;
}

}  // namespace tapedeck
