#include "replay/serving/replay_session.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <boost/container/small_vector.hpp>

#include "replay/serving/library_state.hpp"
#include "replay/serving/miss_explanation.hpp"
#include "replay/serving/sequence.hpp"

namespace tapedeck {

namespace {

// Positions in a list of recordings. Few recordings share a key mostly, so that a hit allocates nothing.
using Candidates = boost::container::small_vector<std::size_t, 16>;

// Those of one session that may answer and that the request prefers most. Neighbours mostly share their session and
// negotiation, so neither is looked at twice in a row.
Candidates candidates_of(const RecordingIndex& index, const RecordingList& all, std::string_view session,
                         const RequestConditions& conditions) {
  constexpr std::uint64_t none = UINT64_MAX;
  Candidates candidates;
  std::uint64_t last_session = none;
  bool session_wanted = false;
  std::uint64_t last_negotiation = none;
  int preference = 0;
  int best = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto recording = all[i];
    if (recording.row.session != last_session) session_wanted = index.session_of(recording) == session;
    last_session = recording.row.session;
    if (!session_wanted || !is_eligible(recording.row.status, conditions)) continue;
    if (recording.row.negotiation != last_negotiation) {
      preference = preference_of(index.negotiation_of(recording), conditions);
    }
    last_negotiation = recording.row.negotiation;
    if (candidates.empty() || preference < best) {
      candidates.clear();
      best = preference;
    }
    if (preference == best) candidates.push_back(i);
  }
  return candidates;
}

// Own session first, then `default`, then the others as they come.
Candidates candidates_for(const RecordingIndex& index, const RecordingList& all, std::string_view session,
                          const RequestConditions& conditions) {
  for (const auto wanted : {session, std::string_view("default")}) {
    if (auto own = candidates_of(index, all, wanted, conditions); !own.empty()) return own;
  }
  std::uint64_t tried = UINT64_MAX;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto recording = all[i];
    if (recording.row.session == tried) continue;
    tried = recording.row.session;
    if (auto others = candidates_of(index, all, index.session_of(recording), conditions); !others.empty())
      return others;
  }
  return {};
}

}  // namespace

ReplayLibrary::ReplayLibrary(std::unique_ptr<State> state) : state_(std::move(state)) {
}
ReplayLibrary::~ReplayLibrary() = default;

std::uint64_t ReplayLibrary::exchange_count() const {
  return state_->index.exchange_count();
}

std::vector<std::string> ReplayLibrary::origins() const {
  const auto origins = state_->index.origins();
  return {origins.begin(), origins.end()};
}

std::int64_t ReplayLibrary::newest_recorded_at_us() const {
  return state_->index.newest_recorded_at_us();
}

const KeyedRecordings* ReplayLibrary::find(const MatchKey& key) const {
  return state_->index.find(key.text());
}

std::variant<Hit, MissReason> ReplayLibrary::next(const KeyedRecordings& recordings, std::string_view session,
                                                  const RequestConditions& conditions) {
  auto& [sequence, index, cursors] = *state_;
  const auto all = index.recordings_of(recordings);
  // Asked after the list was made: what it holds of added recordings must not pass for what cannot change.
  const bool grown = index.has_grown(recordings);
  const auto candidates = candidates_for(index, all, session, conditions);
  if (candidates.empty()) return MissReason::differs;
  const bool moves = needs_cursor(sequence, candidates.size());
  const auto chosen =
      moves ? cursors.advance(&recordings, session, sequence, candidates) : next_in_sequence(sequence, candidates, {});
  if (!chosen) return MissReason::exhausted;
  const auto recording = all[*chosen];
  recording.uses->fetch_add(1, std::memory_order_relaxed);
  const bool one_session = (recordings.flags & KeyedRecordings::single_session) != 0;
  return Hit{recording.row.exchange_id, !moves && !grown && one_session, recording.uses};
}

MissReport ReplayLibrary::explain_miss(const MatchKey& key, std::string_view request_line) const {
  return tapedeck::explain_miss(state_->index, state_->sequence, key, request_line);
}

void ReplayLibrary::add(const MatchKey& key, const StoredExchange& stored) {
  const auto added = state_->index.add(key, stored);
  if (added && needs_cursor(state_->sequence, 2)) {
    state_->cursors.mark_served(added->recordings, stored.exchange.session, added->position);
  }
}

std::uint64_t ReplayLibrary::additions() const {
  return state_->index.additions();
}

std::vector<ReplayLibrary::Unused> ReplayLibrary::unused() const {
  const auto& index = state_->index;
  std::vector<std::pair<const RecordingRow*, const KeyedRecordings*>> never_served;
  for (const auto& key : index.built_keys()) {
    if ((key.flags & KeyedRecordings::token_request) != 0 || !index.is_sound(key)) continue;
    index.for_each_unused(key, [&](const RecordingRow& row) { never_served.emplace_back(&row, &key); });
  }
  std::sort(never_served.begin(), never_served.end(), [](const auto& left, const auto& right) {
    const auto& [a, b] = std::pair(left.first, right.first);
    return std::tie(a->take_ordinal, a->finished_number, a->exchange_id) <
           std::tie(b->take_ordinal, b->finished_number, b->exchange_id);
  });
  std::vector<Unused> unused;
  for (const auto& [row, key] : never_served) {
    unused.push_back({row->exchange_id, MatchKey::of_text(index.text_of(*key)).request_line()});
  }
  return unused;
}

}  // namespace tapedeck
