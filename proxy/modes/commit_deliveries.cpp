#include "proxy/modes/commit_deliveries.hpp"

#include <algorithm>

namespace tapedeck {

void CommitDeliveries::put(const Executor& worker, std::shared_ptr<Commit> commit, Result<std::int64_t> result) {
  auto found = std::find_if(deliveries_.begin(), deliveries_.end(),
                            [&](const Delivery& delivery) { return delivery.worker == worker; });
  if (found == deliveries_.end()) found = deliveries_.insert(found, Delivery{worker, {}});
  found->told.push_back({std::move(commit), std::move(result)});
}

void CommitDeliveries::deliver() {
  for (auto& [worker, told] : deliveries_) {
    if (told.empty()) continue;
    asio::post(worker, [delivered = std::move(told)] {
      for (const auto& [commit, result] : delivered) {
        commit->result = result;
        commit->committed.cancel();
      }
    });
    told.clear();
  }
}

}  // namespace tapedeck
