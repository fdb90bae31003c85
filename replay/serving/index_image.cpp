#include "replay/serving/index_image.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "replay/serving/index_entry.hpp"

namespace tapedeck {

namespace {

// Far more than any honest table needs. Behind it the key is looked for in order.
constexpr std::size_t probes_max = 1024;
constexpr std::uint64_t rows_max = UINT32_MAX - 1;

template <class Row>
bool take_section(std::string_view image, const IndexSection& section, std::span<const Row>& rows) {
  const bool fits = section.at % 8 == 0 && section.at <= image.size() && section.count <= rows_max &&
                    section.count <= (image.size() - section.at) / sizeof(Row);
  if (fits) rows = {reinterpret_cast<const Row*>(image.data() + section.at), static_cast<std::size_t>(section.count)};
  return fits;
}

}  // namespace

std::unique_ptr<IndexImage> IndexImage::of(IndexBytes bytes, const IndexDigest& identity,
                                           std::function<void()> on_damage) {
  IndexHeader header;
  if (bytes.view.size() < sizeof header) return nullptr;
  assert(reinterpret_cast<std::uintptr_t>(bytes.view.data()) % 8 == 0);
  std::memcpy(&header, bytes.view.data(), sizeof header);
  const IndexHeader ours;
  const bool is_ours = header.magic == ours.magic && header.layout_version == ours.layout_version &&
                       header.byte_order == ours.byte_order && header.digest == digest_of(header);
  if (!is_ours || header.identity != identity || header.image_bytes != bytes.view.size()) return nullptr;
  std::unique_ptr<IndexImage> image(new IndexImage(std::move(bytes), header, std::move(on_damage)));
  return image->take_sections() ? std::move(image) : nullptr;
}

bool IndexImage::take_sections() {
  const auto image = bytes_.view;
  const bool all =
      take_section(image, header_.slots, slots_) && take_section(image, header_.keys, keys_) &&
      take_section(image, header_.recordings, recordings_) && take_section(image, header_.sessions, sessions_) &&
      take_section(image, header_.negotiations, negotiations_) && take_section(image, header_.origins, origins_);
  const auto& texts = header_.texts;
  if (!all || !std::has_single_bit(slots_.size()) || texts.at > image.size()) return false;
  if (texts.count > image.size() - texts.at) return false;
  texts_ = image.substr(static_cast<std::size_t>(texts.at), static_cast<std::size_t>(texts.count));
  sound_ = std::make_unique<std::atomic<std::uint64_t>[]>(keys_.size() / 64 + 1);
  return true;
}

const KeyedRecordings* IndexImage::find(std::string_view key_text) const {
  const auto hash = index_hash(header_.hash_seed, key_text);
  const auto mask = slots_.size() - 1;
  for (std::size_t probe = 0; probe < std::min(probes_max, slots_.size()); ++probe) {
    const auto slot = slots_[(hash + probe) & mask];
    if (slot == 0) break;
    if (slot > keys_.size()) {
      note_damage();
      continue;
    }
    const auto& key = keys_[slot - 1];
    if (key.hash != hash) continue;
    if (text_of(key) == key_text) return is_sound(key) ? &key : nullptr;
    if (index_hash(header_.hash_seed, text_of(key)) != hash) note_damage();
  }
  return find_in_order(key_text);
}

// For keys that the table does not lead to: mostly there is none, but a damaged slot must not hide one.
const KeyedRecordings* IndexImage::find_in_order(std::string_view key_text) const {
  const auto found = std::partition_point(keys_.begin(), keys_.end(),
                                          [&](const KeyedRecordings& key) { return text_of(key) < key_text; });
  if (found == keys_.end() || text_of(*found) != key_text) return nullptr;
  note_damage();
  return is_sound(*found) ? &*found : nullptr;
}

bool IndexImage::holds(const KeyedRecordings& key) const {
  return !keys_.empty() && !std::less<>{}(&key, &keys_.front()) && !std::less<>{}(&keys_.back(), &key);
}

bool IndexImage::is_sound(const KeyedRecordings& key) const {
  const auto number = static_cast<std::size_t>(&key - keys_.data());
  auto& word = sound_[number / 64];
  const auto bit = std::uint64_t{1} << number % 64;
  if ((word.load(std::memory_order_relaxed) & bit) != 0) return true;
  if (!check(key)) {
    note_damage();
    return false;
  }
  word.fetch_or(bit, std::memory_order_relaxed);
  return true;
}

bool IndexImage::check(const KeyedRecordings& key) const {
  const auto key_text = text_of(key);
  if (key_text.empty() || index_hash(header_.hash_seed, key_text) != key.hash) return false;
  const auto rows = recordings_of(key);
  if (rows.empty()) return false;
  KeyCheck computed(header_.hash_seed, key);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    computed.add(rows[i]);
    // Neighbours mostly share both.
    const bool same_session = i > 0 && rows[i].session == rows[i - 1].session;
    const bool same_negotiation = i > 0 && rows[i].negotiation == rows[i - 1].negotiation;
    if (!same_session && !check_session(rows[i].session)) return false;
    if (!same_negotiation && !check_negotiation(rows[i].negotiation)) return false;
  }
  return computed.value() == key.check;
}

bool IndexImage::check_session(std::uint32_t number) const {
  if (number >= sessions_.size()) return false;
  const auto& row = sessions_[number];
  const auto name = text(row.at, row.bytes);
  return name.size() == row.bytes && check_of(header_.hash_seed, number, row, name) == row.check;
}

bool IndexImage::check_negotiation(std::uint32_t number) const {
  if (number >= negotiations_.size()) return false;
  const auto& row = negotiations_[number];
  return check_of(header_.hash_seed, number, row, texts_of(row)) == row.check;
}

std::span<const RecordingRow> IndexImage::recordings_of(const KeyedRecordings& key) const {
  const std::size_t first = key.first;
  const std::size_t count = key.count;
  if (first > recordings_.size() || count > recordings_.size() - first) return {};
  return recordings_.subspan(first, count);
}

std::string_view IndexImage::session(std::uint32_t number) const {
  if (number >= sessions_.size()) return {};
  return text(sessions_[number].at, sessions_[number].bytes);
}

Negotiation IndexImage::negotiation(std::uint32_t number) const {
  if (number >= negotiations_.size()) return {};
  const auto& row = negotiations_[number];
  return NegotiationTexts::negotiation_in(texts_of(row), row.bytes);
}

std::optional<std::string_view> IndexImage::origin(std::size_t number) const {
  const auto& row = origins_[number];
  const auto origin_text = text(row.at, row.bytes);
  if (check_of(header_.hash_seed, static_cast<std::uint32_t>(number), row, origin_text) == row.check) {
    return origin_text;
  }
  note_damage();
  return std::nullopt;
}

std::string_view IndexImage::text(std::uint64_t at, std::uint64_t bytes) const {
  if (at > texts_.size() || bytes > texts_.size() - at) return {};
  return texts_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(bytes));
}

std::string_view IndexImage::texts_of(const NegotiationRow& row) const {
  std::uint64_t bytes = 0;
  for (const auto part : row.bytes) bytes += part;
  return text(row.at, bytes);
}

void IndexImage::note_damage() const {
  if (!damage_noted_.exchange(true) && on_damage_) on_damage_();
}

}  // namespace tapedeck
