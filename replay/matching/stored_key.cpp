#include "replay/matching/stored_key.hpp"

namespace tapedeck {

Result<MatchKey> key_of(const StoredExchange& stored, CassetteReader& reader, const MatchKeyMaker& keys) {
  const auto& request = stored.exchange.request;
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
