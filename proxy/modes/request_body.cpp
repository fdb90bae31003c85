#include "proxy/modes/request_body.hpp"

namespace tapedeck {

namespace {

constexpr HeadRefusal client_left{400, "client-left", "the client left"};
constexpr HeadRefusal too_large{413, "body-too-large",
                                "the request's body is too large to be looked up and then recorded; use record for it"};
constexpr HeadRefusal not_searchable{
    413, "body-not-searchable",
    "the request's body cannot be searched for secrets, so no recording can be found for it"};

awaitable<bool> tell_to_go_on(bool expects_continue, ClientChannel& client) {
  if (!expects_continue || client.has_unread_bytes()) co_return true;
  client.output() += "HTTP/1.1 100 Continue\r\n\r\n";
  co_return co_await client.flush();
}

// A body that grows beyond what is held: what the redactor leaves of it goes into a key.
class LongBodyForKey {
 public:
  LongBodyForKey(const Request& request, const Redactor& redactor)
      : stream_(redactor.stream_request_body(request)), key_(request.headers) {}

  bool add(std::string_view piece) { return take(stream_->push(piece)); }
  std::optional<BodyKey> finish() {
    if (!take(stream_->finish())) return std::nullopt;
    return key_.finish();
  }

 private:
  bool take(const Result<RedactedBytes>& bytes) {
    if (bytes) key_.add(bytes->bytes());
    return bytes.has_value();
  }

  std::unique_ptr<BodyRedactionStream> stream_;
  BodyKeyStream key_;
};

}  // namespace

awaitable<std::optional<HeadRefusal>> read_whole_body(Request& request, bool expects_continue, ClientChannel& client,
                                                      std::size_t body_bytes_max) {
  const bool told = co_await tell_to_go_on(expects_continue, client);
  if (!told) co_return client_left;
  while (true) {
    const auto event = co_await client.read_body();
    if (event.kind == BodyDecoder::Event::Kind::refused) co_return event.refusal;
    if (event.kind == BodyDecoder::Event::Kind::end) break;
    if (event.data.size() > body_bytes_max - request.body.bytes.size()) co_return too_large;
    request.body.bytes += event.data;
  }
  request.trailers = client.request_trailers();
  co_return std::nullopt;
}

std::optional<BodyKey> key_of_long_body(const Request& request, const Redactor& redactor) {
  LongBodyForKey body(request, redactor);
  if (!body.add(request.body.bytes)) return std::nullopt;
  return body.finish();
}

awaitable<BodyForMatching> read_body_for_matching(Request& request, bool expects_continue, ClientChannel& client,
                                                  const Redactor& redactor) {
  BodyForMatching read;
  const bool told = co_await tell_to_go_on(expects_continue, client);
  if (!told) read.refusal = client_left;
  std::optional<LongBodyForKey> long_body;
  auto& held = request.body.bytes;
  while (!read.refusal) {
    const auto event = co_await client.read_body();
    if (event.kind == BodyDecoder::Event::Kind::refused) read.refusal = event.refusal;
    if (event.kind == BodyDecoder::Event::Kind::end) break;
    if (event.kind != BodyDecoder::Event::Kind::data) continue;
    if (!long_body) {
      held += event.data;
      if (held.size() <= body_memory_bytes_max) continue;
      long_body.emplace(request, redactor);
      if (!long_body->add(held)) read.refusal = not_searchable;
      held = {};
    } else if (!long_body->add(event.data)) {
      read.refusal = not_searchable;
    }
  }
  if (read.refusal) co_return read;
  request.trailers = client.request_trailers();
  if (!long_body) co_return read;
  read.long_body = long_body->finish();
  if (!read.long_body) read.refusal = not_searchable;
  co_return read;
}

}  // namespace tapedeck
