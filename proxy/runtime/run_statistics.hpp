#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
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
    std::uint64_t refusals = 0;                       // of requests whose head was answered with what is wrong
    std::string first_refusal;                        // what was
    std::map<std::string, std::uint64_t> redactions;  // by rule
    std::string recording_failure;                    // empty: every exchange was kept
  };

  static constexpr std::size_t missed_groups_max = 1000;
  static constexpr std::size_t tunnels_max = 1000;

  void count_request() { own_counts().requests.fetch_add(1, std::memory_order_relaxed); }
  void count_hit() { own_counts().hits.fetch_add(1, std::memory_order_relaxed); }
  void note_miss(const MissReport& report);
  // `status` is 0 for an exchange that a network failure ended.
  void note_recorded(int status, const std::vector<RedactionCount>& redactions);
  void note_tunnel(const std::string& host_and_port);
  void note_refusal(std::string_view detail);
  void note_recording_failure(const std::string& detail);

  Snapshot snapshot() const;

 private:
  // On a cache line of its own, which the threads would else take from each other at every request.
  struct alignas(64) Counts {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> hits{0};
  };
  Counts& own_counts() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return counts_[number % counts_.size()];
  }

  std::array<Counts, 16> counts_;
  mutable std::mutex mutex_;
  Snapshot rare_;
};

}  // namespace tapedeck
