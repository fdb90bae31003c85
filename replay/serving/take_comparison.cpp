#include "replay/serving/take_comparison.hpp"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "replay/matching/stored_key.hpp"

namespace tapedeck {

namespace {

// Status and body of an answer; equal bodies are one in a cassette.
using Answer = std::pair<int, std::int64_t>;

Answer answer_of(const StoredExchange& stored) {
  if (!stored.exchange.response) return {0, 0};
  return {stored.exchange.response->status, stored.response_body.id};
}

// For each key its answers by take.
using Answers = std::unordered_map<std::string, std::map<std::int64_t, std::vector<Answer>>>;

void count_changes(const std::map<std::int64_t, std::vector<Answer>>& by_take, std::int64_t last,
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
  std::optional<Failure> failure;
  auto read = reader.for_each({true, false, false}, [&](StoredExchange&& stored) {
    auto key = key_of(stored, reader, keys);
    if (!key)
      failure = key.error();
    else
      answers[key->text()][stored.take_ordinal].push_back(answer_of(stored));
    return !failure;
  });
  if (!read) return read.error();
  if (failure) return *failure;
  for (const auto& [key, by_take] : answers) count_changes(by_take, last, changes);
  return changes;
}

}  // namespace tapedeck
