#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "replay/matching/near_miss.hpp"
#include "storage/redaction/redacted_exchange.hpp"

namespace tapedeck {

// What one run saw, for its summary, its report and its exit code. Workers count hits and requests without a lock; what
// is rare goes under one mutex.
class RunStatistics {
 public:
  struct Miss {
    MissReport report;
    std::uint64_t times = 1;
  };
  struct Snapshot {
    std::uint64_t requests = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t recorded = 0;
    std::vector<Miss> missed;                       // grouped by request line, in order of first sight
    std::map<int, std::uint64_t> errors_by_status;  // recorded answers of 400 and above
    std::uint64_t network_failures = 0;
    std::map<std::string, std::uint64_t> tunnels;     // host:port
    std::map<std::string, std::uint64_t> redactions;  // by rule
    std::string recording_failure;                    // empty: every exchange was kept
  };

  static constexpr std::size_t missed_groups_max = 1000;
  static constexpr std::size_t tunnels_max = 1000;

  void count_request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  void count_hit() { hits_.fetch_add(1, std::memory_order_relaxed); }
  void note_miss(const MissReport& report);
  // `status` is 0 for an exchange that a network failure ended.
  void note_recorded(int status, const std::vector<RedactionCount>& redactions);
  void note_tunnel(const std::string& host_and_port);
  void note_recording_failure(const std::string& detail);

  Snapshot snapshot() const;

 private:
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> hits_{0};
  mutable std::mutex mutex_;
  Snapshot rare_;
};

}  // namespace tapedeck
