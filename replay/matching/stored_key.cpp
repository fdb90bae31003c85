#include "replay/matching/stored_key.hpp"

namespace tapedeck {

namespace {

// The upstream answered, or broke off, before it had the whole body. (A client that left has no use for its answer.)
bool has_unfinished_upload(const Exchange& exchange) {
  const auto& failure = exchange.failure;
  return failure && failure->phase == NetworkFailure::Phase::send_request &&
         failure->side == NetworkFailure::Side::upstream && exchange.request.body.framing != BodyFraming::none;
}

}  // namespace

Result<MatchKey> key_of(const StoredExchange& stored, CassetteReader& reader, const MatchKeyMaker& keys) {
  const auto& request = stored.exchange.request;
  if (has_unfinished_upload(stored.exchange)) return keys.make(request, BodyKey{}).with_unfinished_body();
  if (!stored.request_body_stays()) return keys.make(request);
  BodyKeyStream body(request.headers);
  auto read = reader.for_each_piece(stored.request_body, [&](std::string_view piece) {
    body.add(piece);
    return true;
  });
  if (!read) return read.error();
  return keys.make(request, body.finish());
}

}  // namespace tapedeck
