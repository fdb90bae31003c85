#include "proxy/connection/deadlines.hpp"

namespace tapedeck {

// Due ones are moved to a list of their own first: a handler that ends one connection may destroy others, which then
// unlink themselves from whichever list they are in.
void DeadlineList::sweep(SteadyTime now) {
  soon_ = now + sweep_interval_ms;
  decltype(deadlines_) due;
  for (auto it = deadlines_.begin(); it != deadlines_.end();) {
    auto& deadline = *it++;
    if (deadline.expires_at() > now) continue;
    deadline.unlink();
    due.push_back(deadline);
  }
  while (!due.empty()) {
    auto& deadline = due.front();
    deadline.unlink();
    deadlines_.push_back(deadline);
    deadline.never_expire();
    deadline.expired_ = true;
    deadline.on_deadline();
  }
}

void DeadlineList::cut_all() {
  for (auto& deadline : deadlines_) deadline.cut();
}

}  // namespace tapedeck
