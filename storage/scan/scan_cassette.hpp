#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "storage/cassette/cassette_reader.hpp"
#include "storage/scan/secret_scanner.hpp"

namespace tapedeck {

struct ScanRange {
  std::optional<std::int64_t> take;           // unset: all takes
  std::uint64_t body_bytes_max = UINT64_MAX;  // of bodies as they are kept; what lies beyond is not looked at
};

struct ScanTotals {
  std::uint64_t exchanges = 0;
  std::uint64_t secrets = 0;
  std::uint64_t warnings = 0;
  bool stopped_early = false;  // at `body_bytes_max`
};

// Scans exchange by exchange, so that no more than one is held. `tell` is given the exchange's id.
Result<ScanTotals> scan_cassette(CassetteReader& reader, const SecretScanner& scanner, const ScanRange& range,
                                 const std::function<void(std::int64_t, const Finding&)>& tell);

// The secrets and warnings in the newest take alone.
Result<ScanTotals> scan_last_take(CassetteReader& reader, const SecretScanner& scanner, std::uint64_t body_bytes_max);

}  // namespace tapedeck
