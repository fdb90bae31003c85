#pragma once

#include <cstdint>
#include <functional>

#include "storage/cassette/cassette_reader.hpp"
#include "storage/scan/secret_scanner.hpp"

namespace tapedeck {

// Scans a body that is too large to be held, by windows that overlap, so that a secret across a border is in one of
// them. Looks at no more than `bytes_max` bytes of it as it is kept; gives how many it has looked at.
Result<std::uint64_t> scan_long_body(CassetteReader& reader, const StoredExchange& stored, Direction direction,
                                     const SecretScanner& scanner, std::uint64_t bytes_max,
                                     const std::function<void(const Finding&)>& tell);

}  // namespace tapedeck
