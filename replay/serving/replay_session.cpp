#include "replay/serving/replay_session.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>

#include "replay/matching/stored_key.hpp"
#include "replay/serving/cursors.hpp"
#include "replay/serving/miss_explanation.hpp"
#include "replay/serving/recording_index.hpp"
#include "replay/serving/sequence.hpp"

namespace tapedeck {

namespace {

// Those of one session that may answer and that the request prefers most, as positions in `all`. Neighbours mostly
// share their session and negotiation, so neither is looked at twice in a row.
std::vector<std::size_t> candidates_of(std::span<Recording* const> all, std::string_view session,
                                       const RequestConditions& conditions) {
  std::vector<std::size_t> candidates;
  const std::string* last_session = nullptr;
  bool session_wanted = false;
  const Negotiation* last_negotiation = nullptr;
  int preference = 0;
  int best = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& recording = *all[i];
    if (recording.session != last_session) session_wanted = *recording.session == session;
    last_session = recording.session;
    if (!session_wanted || !is_eligible(recording.status, conditions)) continue;
    if (recording.negotiation != last_negotiation) preference = preference_of(*recording.negotiation, conditions);
    last_negotiation = recording.negotiation;
    if (candidates.empty() || preference < best) {
      candidates.clear();
      best = preference;
    }
    if (preference == best) candidates.push_back(i);
  }
  return candidates;
}

// Own session first, then `default`, then the others as they come.
std::vector<std::size_t> candidates_for(std::span<Recording* const> all, std::string_view session,
                                        const RequestConditions& conditions) {
  for (const auto wanted : {session, std::string_view("default")}) {
    if (auto own = candidates_of(all, wanted, conditions); !own.empty()) return own;
  }
  const std::string* tried = nullptr;
  for (const auto* recording : all) {
    if (recording->session == tried) continue;
    tried = recording->session;
    if (auto others = candidates_of(all, *tried, conditions); !others.empty()) return others;
  }
  return {};
}

}  // namespace

struct ReplayLibrary::State {
  explicit State(SequencePolicy policy) : sequence(policy) {}

  const SequencePolicy sequence;
  RecordingIndex index;
  Cursors cursors;
  std::atomic<std::uint64_t> additions{0};
};

ReplayLibrary::ReplayLibrary(std::unique_ptr<State> state) : state_(std::move(state)) {
}
ReplayLibrary::~ReplayLibrary() = default;

Result<std::unique_ptr<ReplayLibrary>> ReplayLibrary::build(CassetteReader& reader, const MatchKeyMaker& keys,
                                                            SequencePolicy sequence) {
  const auto takes = reader.takes();
  if (!takes) return takes.error();
  auto state = std::make_unique<State>(sequence);
  ReadParts parts;
  parts.response_bodies = false;
  std::optional<Failure> failure;
  const auto read = reader.for_each(parts, [&](StoredExchange&& stored) {
    const auto key = key_of(stored, reader, keys);
    if (!key)
      failure = key.error();
    else
      state->index.insert(*key, stored);
    return !failure;
  });
  if (!read) return read.error();
  if (failure) return *failure;
  state->index.finish(TakeLineage(*takes));
  return std::unique_ptr<ReplayLibrary>(new ReplayLibrary(std::move(state)));
}

std::unique_ptr<ReplayLibrary> ReplayLibrary::of(const std::vector<Take>& takes,
                                                 const std::vector<StoredExchange>& exchanges,
                                                 const MatchKeyMaker& keys, SequencePolicy sequence) {
  auto state = std::make_unique<State>(sequence);
  for (const auto& stored : exchanges) state->index.insert(keys.make(stored.exchange.request), stored);
  state->index.finish(TakeLineage(takes));
  return std::unique_ptr<ReplayLibrary>(new ReplayLibrary(std::move(state)));
}

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
  const bool grown = recordings.grown.load(std::memory_order_acquire);
  const auto copied = grown ? state_->index.all_of(recordings) : std::vector<Recording*>{};
  const std::span<Recording* const> all = grown ? copied : recordings.recordings;

  const auto candidates = candidates_for(all, session, conditions);
  if (candidates.empty()) return MissReason::differs;
  const bool moves = needs_cursor(state_->sequence, candidates.size());
  const auto chosen = moves ? state_->cursors.advance(&recordings, session, state_->sequence, candidates)
                            : next_in_sequence(state_->sequence, candidates, {});
  if (!chosen) return MissReason::exhausted;
  auto& recording = *all[*chosen];
  recording.uses.fetch_add(1, std::memory_order_relaxed);
  return Hit{recording.exchange_id, !moves && !grown && recordings.single_session, &recording.uses};
}

MissReport ReplayLibrary::explain_miss(const MatchKey& key, std::string_view request_line) const {
  return tapedeck::explain_miss(state_->index, state_->sequence, key, request_line);
}

void ReplayLibrary::add(const MatchKey& key, const StoredExchange& stored) {
  const auto added = state_->index.add(key, stored);
  if (added) state_->additions.fetch_add(1, std::memory_order_release);
  if (added && needs_cursor(state_->sequence, 2)) {
    state_->cursors.mark_served(added->recordings, stored.exchange.session, added->position);
  }
}

std::uint64_t ReplayLibrary::additions() const {
  return state_->additions.load(std::memory_order_acquire);
}

std::vector<ReplayLibrary::Unused> ReplayLibrary::unused() const {
  std::vector<const Recording*> never_served;
  for (const auto& recording : state_->index.built_recordings()) {
    const bool counts = recording.winning && !recording.key->is_token_request;
    if (counts && recording.uses.load(std::memory_order_relaxed) == 0) never_served.push_back(&recording);
  }
  std::stable_sort(never_served.begin(), never_served.end(), [](const Recording* left, const Recording* right) {
    return std::tie(left->take_ordinal, left->finished_number) < std::tie(right->take_ordinal, right->finished_number);
  });
  std::vector<Unused> unused;
  for (const auto* recording : never_served) {
    unused.push_back({recording->exchange_id, MatchKey::of_text(recording->key->key_text).request_line()});
  }
  return unused;
}

}  // namespace tapedeck
