#include "proxy/runtime/run_statistics.hpp"

#include <algorithm>

namespace tapedeck {

void RunStatistics::note_miss(const MissReport& report) {
  const std::scoped_lock lock(mutex_);
  ++rare_.misses;
  auto same = std::find_if(rare_.missed.begin(), rare_.missed.end(), [&](const Miss& miss) {
    return miss.report.request_line == report.request_line && miss.report.reason == report.reason;
  });
  if (same != rare_.missed.end()) {
    ++same->times;
  } else if (rare_.missed.size() < missed_groups_max) {
    rare_.missed.push_back({report, 1});
  }
}

void RunStatistics::note_recorded(int status, const std::vector<RedactionCount>& redactions) {
  const std::scoped_lock lock(mutex_);
  ++rare_.recorded;
  if (status >= 400) ++rare_.errors_by_status[status];
  if (status == 0) ++rare_.network_failures;
  for (const auto& count : redactions) rare_.redactions[count.rule] += count.times;
}

void RunStatistics::note_tunnel(const std::string& host_and_port) {
  const std::scoped_lock lock(mutex_);
  if (rare_.tunnels.size() < tunnels_max || rare_.tunnels.contains(host_and_port)) ++rare_.tunnels[host_and_port];
}

void RunStatistics::note_refusal(std::string_view detail) {
  const std::scoped_lock lock(mutex_);
  if (++rare_.refusals == 1) rare_.first_refusal = detail;
}

void RunStatistics::note_recording_failure(const std::string& detail) {
  const std::scoped_lock lock(mutex_);
  if (rare_.recording_failure.empty()) rare_.recording_failure = detail;
}

RunStatistics::Snapshot RunStatistics::snapshot() const {
  const std::scoped_lock lock(mutex_);
  auto copy = rare_;
  for (const auto& counts : counts_) {
    copy.requests += counts.requests.load(std::memory_order_relaxed);
    copy.hits += counts.hits.load(std::memory_order_relaxed);
  }
  return copy;
}

}  // namespace tapedeck
