#pragma once

#include "replay/matching/match_key.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// The key of a recorded exchange, which was read with its request's body; a body that stays in the cassette is read
// piece by piece. Fails as the reader does.
Result<MatchKey> key_of(const StoredExchange& stored, CassetteReader& reader, const MatchKeyMaker& keys);

}  // namespace tapedeck
