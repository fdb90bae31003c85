#include "storage/scan/scan_cassette.hpp"

#include "storage/scan/long_body_scan.hpp"

namespace tapedeck {

namespace {

std::uint64_t held_bytes(const Exchange& exchange) {
  return exchange.request.body.bytes.size() + (exchange.response ? exchange.response->body.bytes.size() : 0);
}

}  // namespace

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
    const auto found = [&](const Finding& finding) {
      ++(finding.kind == Finding::Kind::secret ? totals.secrets : totals.warnings);
      tell(head.id, finding);
    };
    body_bytes += held_bytes(stored->exchange);
    totals.stopped_early = body_bytes > range.body_bytes_max;
    for (const auto direction : {Direction::request, Direction::response}) {
      const bool is_long =
          direction == Direction::request ? stored->request_body_stays() : stored->response_body_stays();
      if (!is_long || totals.stopped_early) continue;
      auto looked_at = scan_long_body(reader, *stored, direction, scanner, range.body_bytes_max - body_bytes, found);
      if (!looked_at) {
        loaded = looked_at.error();
        return false;
      }
      body_bytes += *looked_at;
      const auto& body = direction == Direction::request ? stored->request_body : stored->response_body;
      totals.stopped_early = *looked_at < body.size;
    }
    if (totals.stopped_early) return false;
    ++totals.exchanges;
    for (const Finding& finding : scanner.scan(std::move(stored->exchange))) found(finding);
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
