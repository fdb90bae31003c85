#include "replay/serving/take_comparison.hpp"

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace tapedeck {

namespace {

// Enough to tell two answers apart in a report; nothing is decided by it.
std::size_t answer_fingerprint(const Exchange& exchange) {
  if (!exchange.response) return 0;
  return std::hash<std::string>{}(exchange.response->body.bytes) * 31 +
         static_cast<std::size_t>(exchange.response->status);
}

// For each key its answers by take.
using Answers = std::unordered_map<std::string, std::map<std::int64_t, std::vector<std::size_t>>>;

void count_changes(const std::map<std::int64_t, std::vector<std::size_t>>& by_take, std::int64_t last,
                   TakeChanges& changes) {
  const auto newest = by_take.find(last);
  if (newest == by_take.end()) return;
  if (newest == by_take.begin()) {
    changes.added += newest->second.size();
    return;
  }
  const auto& before = std::prev(newest)->second;
  for (std::size_t i = 0; i < newest->second.size(); ++i) {
    if (i >= before.size())
      ++changes.added;
    else if (before[i] == newest->second[i])
      ++changes.same;
    else
      ++changes.changed;
  }
}

}  // namespace

Result<TakeChanges> compare_last_take(CassetteReader& reader, const MatchKeyMaker& keys) {
  auto takes = reader.takes();
  if (!takes) return takes.error();
  TakeChanges changes;
  if (takes->empty()) return changes;
  const auto last = takes->back().ordinal;
  if (takes->size() == 1) {
    changes.added = takes->back().exchange_count;
    return changes;
  }
  Answers answers;
  auto read = reader.for_each({true, true, false}, [&](StoredExchange&& stored) {
    answers[keys.make(stored.exchange.request).text()][stored.take_ordinal].push_back(
        answer_fingerprint(stored.exchange));
    return true;
  });
  if (!read) return read.error();
  for (const auto& [key, by_take] : answers) count_changes(by_take, last, changes);
  return changes;
}

}  // namespace tapedeck
