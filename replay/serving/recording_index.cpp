#include "replay/serving/recording_index.hpp"

#include <algorithm>
#include <cassert>

#include "replay/matching/body_key.hpp"

namespace tapedeck {

namespace {

// Nothing came back at all: the exchange was still open when it was kept.
bool has_answer(const Exchange& exchange) {
  return exchange.response.has_value() || exchange.failure.has_value();
}

bool is_partial(const Exchange& exchange) {
  return exchange.cut_by_client || (exchange.state != ExchangeState::whole && !exchange.failure);
}

Negotiation negotiation_of(const Exchange& exchange) {
  auto conditions = conditions_of(exchange.request.headers);
  Negotiation negotiation;
  negotiation.accept = std::move(conditions.accept);
  negotiation.accept_encoding = std::move(conditions.accept_encoding);
  negotiation.validators = std::move(conditions.validators);
  if (exchange.response) {
    const auto& headers = exchange.response->headers;
    negotiation.media_type = media_type_of(headers.find("Content-Type").value_or(""));
    negotiation.content_coding = headers.find("Content-Encoding").value_or("");
  }
  return negotiation;
}

// Clients ask for a token as often as they like, so one that is left over says nothing about a test.
bool asks_for_token(const MatchKey& key) {
  if (!key.path.ends_with("/token")) return false;
  if (key.body_kind == "form") return ("&" + key.body).find("&grant_type=") != std::string::npos;
  return key.body_kind == "json" && key.body.find("\"grant_type\":") != std::string::npos;
}

}  // namespace

void RecordingIndex::insert(const MatchKey& key, const StoredExchange& stored) {
  if (!has_answer(stored.exchange)) return;
  auto& recording = new_recording(built_, key, stored);
  auto text = key.text();
  const auto found = built_.by_text.find(text);
  auto& keyed = found != built_.by_text.end() ? *found->second : new_key(built_, key, std::move(text));
  recording.key = &keyed;
  keyed.recordings.push_back(&recording);
}

void RecordingIndex::finish(const TakeLineage& lineage) {
  for (auto& key : built_.keys) settle(key, lineage);
}

// Puts the winning recordings of a key in serving order and forgets the others.
void RecordingIndex::settle(KeyedRecordings& key, const TakeLineage& lineage) {
  std::vector<PrecedenceRow> rows;
  for (const auto* recording : key.recordings) {
    rows.push_back({recording->take_ordinal, *recording->session, recording->finished_number, recording->partial});
  }
  std::vector<Recording*> ordered;
  const auto sequences = serving_order(lineage, rows);
  for (const auto& sequence : sequences) {
    for (const auto row : sequence.rows) {
      key.recordings[row]->winning = true;
      ordered.push_back(key.recordings[row]);
    }
  }
  key.recordings = std::move(ordered);
  key.single_session = sequences.size() == 1;
}

std::optional<RecordingIndex::Added> RecordingIndex::add(const MatchKey& key, const StoredExchange& stored) {
  if (!has_answer(stored.exchange) || is_partial(stored.exchange)) return std::nullopt;
  auto text = key.text();
  const std::lock_guard lock(added_mutex_);
  KeyedRecordings* keyed = nullptr;
  if (const auto built = built_.by_text.find(text); built != built_.by_text.end()) {
    keyed = built->second;
  } else if (const auto added = added_.by_text.find(text); added != added_.by_text.end()) {
    keyed = added->second;
  } else {
    keyed = &new_key(added_, key, std::move(text));
    has_added_keys_.store(true, std::memory_order_release);
  }
  auto& recording = new_recording(added_, key, stored);
  recording.winning = true;
  recording.key = keyed;
  keyed->added.push_back(&recording);
  keyed->grown.store(true, std::memory_order_release);
  return Added{keyed, keyed->recordings.size() + keyed->added.size() - 1};
}

const KeyedRecordings* RecordingIndex::find(std::string_view key_text) const {
  if (const auto found = built_.by_text.find(key_text); found != built_.by_text.end()) return found->second;
  if (!has_added_keys_.load(std::memory_order_acquire)) return nullptr;
  const std::lock_guard lock(added_mutex_);
  const auto found = added_.by_text.find(key_text);
  return found == added_.by_text.end() ? nullptr : found->second;
}

std::vector<Recording*> RecordingIndex::all_of(const KeyedRecordings& recordings) const {
  auto all = recordings.recordings;
  if (recordings.grown.load(std::memory_order_acquire)) {
    const std::lock_guard lock(added_mutex_);
    all.insert(all.end(), recordings.added.begin(), recordings.added.end());
  }
  return all;
}

std::set<std::string> RecordingIndex::origins() const {
  auto origins = built_.origins;
  const std::lock_guard lock(added_mutex_);
  origins.insert(added_.origins.begin(), added_.origins.end());
  return origins;
}

std::vector<const KeyedRecordings*> RecordingIndex::keys_around(std::string_view around, std::string_view prefix,
                                                                std::size_t count_max) const {
  const auto& sorted = sorted_built_keys();
  const auto below = [](const KeyedRecordings* key, std::string_view text) { return key->key_text < text; };
  const auto low = std::lower_bound(sorted.begin(), sorted.end(), prefix, below);
  const auto high =
      std::partition_point(low, sorted.end(), [&](const auto* key) { return key->key_text.starts_with(prefix); });
  const auto middle = std::clamp(std::lower_bound(low, high, around, below), low, high);
  const auto count = std::min(static_cast<std::size_t>(high - low), count_max);
  const auto before = std::min(static_cast<std::size_t>(middle - low), count / 2);
  const auto spare = count - std::min(count, before + static_cast<std::size_t>(high - middle));
  const auto first = middle - static_cast<std::ptrdiff_t>(before + spare);
  std::vector<const KeyedRecordings*> keys(first, first + static_cast<std::ptrdiff_t>(count));

  if (!has_added_keys_.load(std::memory_order_acquire)) return keys;
  const std::lock_guard lock(added_mutex_);
  for (const auto& key : added_.keys) {
    if (keys.size() >= count_max) break;
    if (key.key_text.starts_with(prefix)) keys.push_back(&key);
  }
  return keys;
}

const std::vector<const KeyedRecordings*>& RecordingIndex::sorted_built_keys() const {
  std::call_once(sorted_once_, [this] {
    for (const auto& key : built_.keys) sorted_.push_back(&key);
    std::sort(sorted_.begin(), sorted_.end(),
              [](const auto* left, const auto* right) { return left->key_text < right->key_text; });
  });
  return sorted_;
}

Recording& RecordingIndex::new_recording(Part& part, const MatchKey& key, const StoredExchange& stored) {
  const auto& exchange = stored.exchange;
  auto& recording = part.recordings.emplace_back();
  recording.exchange_id = stored.id;
  recording.take_ordinal = stored.take_ordinal;
  recording.recorded_at_us = exchange.started_at_us;
  recording.finished_number = exchange.finished_number;
  recording.status = exchange.response ? exchange.response->status : 0;
  recording.partial = is_partial(exchange);
  recording.session = &*sessions_.insert(exchange.session).first;
  recording.negotiation = &*negotiations_.insert(negotiation_of(exchange)).first;
  part.origins.insert(key.origin);
  exchange_count_.fetch_add(1, std::memory_order_relaxed);
  auto newest = newest_recorded_at_us_.load(std::memory_order_relaxed);
  newest_recorded_at_us_.store(std::max(newest, exchange.started_at_us), std::memory_order_relaxed);
  return recording;
}

KeyedRecordings& RecordingIndex::new_key(Part& part, const MatchKey& key, std::string text) {
  auto& keyed = part.keys.emplace_back();
  keyed.key_text = std::move(text);
  keyed.is_token_request = asks_for_token(key);
  part.by_text.emplace(keyed.key_text, &keyed);
  return keyed;
}

}  // namespace tapedeck
