#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/result.hpp"
#include "proxy/runtime/asio.hpp"

namespace tapedeck {

// A step that was given to the writer, and what became of it. Belongs to the worker that waits for it.
struct Commit {
  explicit Commit(const Executor& executor) : committed(executor, std::chrono::steady_clock::time_point::max()) {}
  SteadyTimer committed;
  std::optional<Result<std::int64_t>> result;
};

// Carries the outcome of a transaction to the workers, all that is for one worker at once: told one by one, the first
// would take the core from the writer before it has told the second. For the writer's thread alone.
class CommitDeliveries {
 public:
  void put(const Executor& worker, std::shared_ptr<Commit> commit, Result<std::int64_t> result);
  void deliver();

 private:
  struct Told {
    std::shared_ptr<Commit> commit;
    Result<std::int64_t> result;
  };
  struct Delivery {
    Executor worker;
    std::vector<Told> told;
  };
  std::vector<Delivery> deliveries_;  // one a worker
};

}  // namespace tapedeck
