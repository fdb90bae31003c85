#include "replay/serving/take_precedence.hpp"

#include <algorithm>
#include <tuple>

namespace tapedeck {

namespace {

// Keeps the rows for which `wanted` holds, if there are any; else all.
template <class Predicate>
void keep_if_any(std::vector<std::size_t>& rows, Predicate wanted) {
  if (std::any_of(rows.begin(), rows.end(), wanted)) {
    std::erase_if(rows, [&](std::size_t row) { return !wanted(row); });
  }
}

}  // namespace

// Takes are in order of their ordinals here, and a parent is always older than its child, so its root is known already.
// A parent that is not there, or that claims to be newer, makes the take a root of its own.
TakeLineage::TakeLineage(std::span<const Take> takes) {
  std::vector<const Take*> ordered;
  for (const auto& take : takes) ordered.push_back(&take);
  std::sort(ordered.begin(), ordered.end(), [](const Take* a, const Take* b) { return a->ordinal < b->ordinal; });
  for (const auto* take : ordered) {
    const auto parent = take->kind == TakeKind::extend ? facts_.find(take->parent_ordinal) : facts_.end();
    const auto root = parent != facts_.end() ? parent->second.root : take->ordinal;
    facts_[take->ordinal] = {root, take->state == TakeState::complete};
  }
}

std::int64_t TakeLineage::root_of(std::int64_t ordinal) const {
  const auto found = facts_.find(ordinal);
  return found == facts_.end() ? ordinal : found->second.root;
}

bool TakeLineage::is_complete(std::int64_t ordinal) const {
  const auto found = facts_.find(ordinal);
  return found != facts_.end() && found->second.complete;
}

std::vector<SessionSequence> serving_order(const TakeLineage& lineage, std::span<const PrecedenceRow> rows) {
  std::vector<std::size_t> kept(rows.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = i;
  keep_if_any(kept, [&](std::size_t row) { return !rows[row].partial; });
  keep_if_any(kept, [&](std::size_t row) { return lineage.is_complete(rows[row].take_ordinal); });

  std::stable_sort(kept.begin(), kept.end(), [&](std::size_t left, std::size_t right) {
    return std::tie(rows[left].take_ordinal, rows[left].finished_number) <
           std::tie(rows[right].take_ordinal, rows[right].finished_number);
  });
  std::map<std::string_view, SessionSequence> by_session;
  for (const auto row : kept) {
    auto& sequence = by_session[rows[row].session];
    sequence.session = rows[row].session;
    sequence.rows.push_back(row);
  }

  std::vector<SessionSequence> sequences;
  for (auto& [session, sequence] : by_session) {
    std::int64_t newest = lineage.root_of(rows[sequence.rows.front()].take_ordinal);
    for (const auto row : sequence.rows) newest = std::max(newest, lineage.root_of(rows[row].take_ordinal));
    std::erase_if(sequence.rows, [&](std::size_t row) { return lineage.root_of(rows[row].take_ordinal) != newest; });
    sequences.push_back(std::move(sequence));
  }
  const auto age = [&](const SessionSequence& sequence) {
    const auto& last = rows[sequence.rows.back()];
    return std::tuple(lineage.root_of(last.take_ordinal), last.take_ordinal, last.finished_number);
  };
  std::stable_sort(sequences.begin(), sequences.end(),
                   [&](const auto& left, const auto& right) { return age(left) > age(right); });
  return sequences;
}

}  // namespace tapedeck
