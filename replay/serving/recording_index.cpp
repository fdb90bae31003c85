#include "replay/serving/recording_index.hpp"

#include <algorithm>

namespace tapedeck {

Recording RecordingList::operator[](std::size_t position) const {
  if (position < built_.size()) return {built_[position], nullptr, built_uses_ + position};
  const auto* added = added_[position - built_.size()];
  return {added->row, added, &added->uses};
}

RecordingIndex::RecordingIndex(std::unique_ptr<const IndexImage> image)
    : image_(std::move(image)),
      uses_(std::make_unique<UseCount[]>(image_->recordings().size())),
      grown_(std::make_unique<std::atomic<std::uint64_t>[]>(image_->keys().size() / 64 + 1)),
      newest_recorded_at_us_(image_->newest_recorded_at_us()) {
}

std::optional<RecordingIndex::Added> RecordingIndex::add(const MatchKey& key, const StoredExchange& stored) {
  auto entry = index_entry_of(stored);
  if (!entry || entry->partial) return std::nullopt;
  auto text = key.text();
  const std::lock_guard lock(added_mutex_);
  const auto* keyed = image_->find(text);
  if (keyed == nullptr) keyed = find_added(text);
  if (keyed == nullptr) keyed = &new_key(key, std::move(text));

  auto& recording = added_.emplace_back();
  const auto sessions = image_->session_count() + static_cast<std::uint32_t>(added_sessions_.size());
  const auto session = added_sessions_.try_emplace(stored.exchange.session, sessions).first;
  const auto negotiations = image_->negotiation_count() + static_cast<std::uint32_t>(added_negotiations_.size());
  const auto negotiation = added_negotiations_.try_emplace(std::move(entry->negotiation), negotiations).first;
  recording.row = entry->row;
  recording.row.session = session->second;
  recording.row.negotiation = negotiation->second;
  recording.session = session->first;
  recording.negotiation = negotiation->first.view();
  added_origins_.insert(key.origin);

  auto& added = added_to_[keyed];
  added.push_back(&recording);
  mark_grown(*keyed);
  const auto newest = newest_recorded_at_us_.load(std::memory_order_relaxed);
  newest_recorded_at_us_.store(std::max(newest, recording.row.recorded_at_us), std::memory_order_relaxed);
  additions_.fetch_add(1, std::memory_order_release);
  const auto built = image_->holds(*keyed) ? image_->recordings_of(*keyed).size() : 0;
  return Added{keyed, built + added.size() - 1};
}

const KeyedRecordings& RecordingIndex::new_key(const MatchKey& key, std::string text) {
  auto& keyed = added_keys_.emplace_back();
  keyed.text = std::move(text);
  keyed.flags = asks_for_token(key) ? KeyedRecordings::token_request : 0;
  added_by_text_.emplace(keyed.text, &keyed);
  has_added_keys_.store(true, std::memory_order_release);
  return keyed;
}

void RecordingIndex::mark_grown(const KeyedRecordings& key) {
  if (!image_->holds(key)) return;
  const auto number = static_cast<std::size_t>(&key - image_->keys().data());
  grown_[number / 64].fetch_or(std::uint64_t{1} << number % 64, std::memory_order_release);
}

bool RecordingIndex::has_grown(const KeyedRecordings& key) const {
  if (!image_->holds(key)) return true;
  const auto number = static_cast<std::size_t>(&key - image_->keys().data());
  return (grown_[number / 64].load(std::memory_order_acquire) >> number % 64 & 1) != 0;
}

const KeyedRecordings* RecordingIndex::find(std::string_view key_text) const {
  if (const auto* found = image_->find(key_text)) return found;
  if (!has_added_keys_.load(std::memory_order_acquire)) return nullptr;
  const std::lock_guard lock(added_mutex_);
  return find_added(key_text);
}

const KeyedRecordings* RecordingIndex::find_added(std::string_view key_text) const {
  const auto found = added_by_text_.find(key_text);
  return found == added_by_text_.end() ? nullptr : found->second;
}

std::string_view RecordingIndex::text_of(const KeyedRecordings& key) const {
  if (image_->holds(key)) return image_->text_of(key);
  return static_cast<const AddedKey&>(key).text;
}

RecordingList RecordingIndex::recordings_of(const KeyedRecordings& key) const {
  RecordingList list;
  if (image_->holds(key)) {
    list.built_ = image_->recordings_of(key);
    if (!list.built_.empty()) list.built_uses_ = uses_.get() + (list.built_.data() - image_->recordings().data());
    if (!has_grown(key)) return list;
  }
  const std::lock_guard lock(added_mutex_);
  if (const auto added = added_to_.find(&key); added != added_to_.end()) list.added_ = added->second;
  return list;
}

void RecordingIndex::for_each_unused(const KeyedRecordings& built,
                                     const std::function<void(const RecordingRow&)>& visit) const {
  for (const auto& row : image_->recordings_of(built)) {
    const auto& uses = uses_[static_cast<std::size_t>(&row - image_->recordings().data())];
    if (uses.load(std::memory_order_relaxed) == 0) visit(row);
  }
}

std::string_view RecordingIndex::session_of(const Recording& recording) const {
  return recording.added != nullptr ? recording.added->session : image_->session(recording.row.session);
}

Negotiation RecordingIndex::negotiation_of(const Recording& recording) const {
  return recording.added != nullptr ? recording.added->negotiation : image_->negotiation(recording.row.negotiation);
}

std::set<std::string> RecordingIndex::origins() const {
  std::set<std::string> origins;
  for (std::size_t i = 0; i < image_->origin_count(); ++i) {
    if (const auto origin = image_->origin(i)) origins.emplace(*origin);
  }
  const std::lock_guard lock(added_mutex_);
  origins.insert(added_origins_.begin(), added_origins_.end());
  return origins;
}

std::vector<const KeyedRecordings*> RecordingIndex::keys_around(std::string_view around, std::string_view prefix,
                                                                std::size_t count_max) const {
  const auto built = image_->keys();
  const auto below = [this](const KeyedRecordings& key, std::string_view text) { return image_->text_of(key) < text; };
  const auto low = std::lower_bound(built.begin(), built.end(), prefix, below);
  const auto high = std::partition_point(
      low, built.end(), [&](const KeyedRecordings& key) { return image_->text_of(key).starts_with(prefix); });
  const auto middle = std::clamp(std::lower_bound(low, high, around, below), low, high);
  const auto count = std::min(static_cast<std::size_t>(high - low), count_max);
  const auto before = std::min(static_cast<std::size_t>(middle - low), count / 2);
  const auto spare = count - std::min(count, before + static_cast<std::size_t>(high - middle));
  const auto first = middle - static_cast<std::ptrdiff_t>(before + spare);
  std::vector<const KeyedRecordings*> keys;
  for (auto key = first; key != first + static_cast<std::ptrdiff_t>(count); ++key) {
    if (image_->is_sound(*key) && image_->text_of(*key).starts_with(prefix)) keys.push_back(&*key);
  }

  if (!has_added_keys_.load(std::memory_order_acquire)) return keys;
  const std::lock_guard lock(added_mutex_);
  for (const auto& key : added_keys_) {
    if (keys.size() >= count_max) break;
    if (key.text.starts_with(prefix)) keys.push_back(&key);
  }
  return keys;
}

}  // namespace tapedeck
