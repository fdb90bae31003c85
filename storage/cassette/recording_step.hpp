#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "storage/redaction/body_stream.hpp"
#include "storage/redaction/redacted_exchange.hpp"

namespace tapedeck {

// What a cassette is given to keep, one step after the other. Most exchanges are whole when they are kept and are one
// step. A long exchange, one with a body that is too large to be held, takes several: its heads become a row in state
// `open`, pieces of its long bodies follow as they come, and its end replaces the row by what it has become. A run that
// dies in between leaves an exchange that is cut where it was.

// Names a long exchange from its first step to its last, within one run of recording.
using LongExchangeId = std::uint64_t;

// The exchange without the bytes of its long bodies, in state `open`. To be given again when what is known of the heads
// has changed.
struct LongHeads {
  LongExchangeId id = 0;
  RedactedExchange exchange;
};

struct LongPiece {
  LongExchangeId id = 0;
  Direction direction = Direction::response;
  RedactedBytes bytes;
};

// The last step. Without an exchange nothing of it is kept after all.
struct LongEnd {
  LongExchangeId id = 0;
  std::optional<RedactedExchange> exchange;
};

using RecordingStep = std::variant<RedactedExchange, LongHeads, LongPiece, LongEnd>;

}  // namespace tapedeck
