#include "storage/scan/scan_cassette.hpp"

namespace tapedeck {

Result<ScanTotals> scan_cassette(CassetteReader& reader, const SecretScanner& scanner, const ScanRange& range,
                                 const std::function<void(std::int64_t, const Finding&)>& tell) {
  ScanTotals totals;
  std::uint64_t body_bytes = 0;
  Result<void> loaded{};
  const auto visit = [&](StoredExchange&& head) {
    if (range.take && *range.take != head.take_ordinal) return true;
    auto stored = reader.load(head.id, ReadParts{});
    if (!stored) {
      loaded = stored.error();
      return false;
    }
    body_bytes += stored->exchange.request.body.bytes.size();
    if (stored->exchange.response) body_bytes += stored->exchange.response->body.bytes.size();
    if (body_bytes > range.body_bytes_max) {
      totals.stopped_early = true;
      return false;
    }
    ++totals.exchanges;
    for (const Finding& finding : scanner.scan(std::move(stored->exchange))) {
      ++(finding.kind == Finding::Kind::secret ? totals.secrets : totals.warnings);
      tell(head.id, finding);
    }
    return true;
  };
  ReadParts heads;
  heads.request_bodies = heads.response_bodies = false;
  if (auto visited = reader.for_each(heads, visit); !visited) return visited.error();
  if (!loaded) return loaded.error();
  return totals;
}

Result<ScanTotals> scan_last_take(CassetteReader& reader, const SecretScanner& scanner, std::uint64_t body_bytes_max) {
  const auto takes = reader.takes();
  if (!takes) return takes.error();
  if (takes->empty()) return ScanTotals{};
  const ScanRange range{takes->back().ordinal, body_bytes_max};
  return scan_cassette(reader, scanner, range, [](std::int64_t, const Finding&) {});
}

}  // namespace tapedeck
