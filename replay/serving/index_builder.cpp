#include "replay/serving/index_builder.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace tapedeck {

namespace {

constexpr std::size_t written_at_once_bytes = 1024 * 1024;
constexpr std::size_t slots_min = 16;
constexpr std::uint32_t rows_max = UINT32_MAX - 1;

// A third of the slots or more stays free.
std::size_t slots_for(std::size_t keys) {
  return std::max(slots_min, std::bit_ceil(keys + keys / 2));
}

void put_in_table(std::vector<std::uint32_t>& table, std::uint64_t hash, std::uint32_t number) {
  const auto mask = table.size() - 1;
  auto slot = hash & mask;
  while (table[slot] != 0) slot = (slot + 1) & mask;
  table[slot] = number + 1;
}

}  // namespace

// Gathers rows, since a sink may be a file. Remembers a refusal, so that callers ask once at the end.
class IndexBuilder::Output {
 public:
  explicit Output(const IndexSink& sink) : sink_(sink) { gathered_.reserve(written_at_once_bytes); }

  void add(std::string_view bytes) {
    if (gathered_.size() + bytes.size() > written_at_once_bytes) flush();
    gathered_ += bytes;
  }
  bool flush() {
    taken_ = taken_ && sink_(gathered_);
    gathered_.clear();
    return taken_;
  }

 private:
  const IndexSink& sink_;
  std::string gathered_;
  bool taken_ = true;
};

void IndexBuilder::insert(const MatchKey& key, const StoredExchange& stored) {
  auto entry = index_entry_of(stored);
  if (!entry) return;
  if (recordings_.size() >= rows_max) throw std::length_error("more exchanges than an index can number");
  auto row = entry->row;
  row.key = number_of_key(key);
  const auto sessions = static_cast<std::uint32_t>(sessions_.size());
  row.session = sessions_.try_emplace(stored.exchange.session, sessions).first->second;
  const auto negotiations = static_cast<std::uint32_t>(negotiations_.size());
  row.negotiation = negotiations_.try_emplace(std::move(entry->negotiation), negotiations).first->second;
  recordings_.push_back(row);
  partial_.push_back(entry->partial);
  header_.newest_recorded_at_us = std::max(header_.newest_recorded_at_us, row.recorded_at_us);
}

std::uint32_t IndexBuilder::number_of_key(const MatchKey& key) {
  if (keys_.size() * 2 >= table_.size()) grow_table();
  const auto text = key.text();
  const auto hash = index_hash(seed_, text);
  const auto mask = table_.size() - 1;
  for (auto slot = hash & mask; table_[slot] != 0; slot = (slot + 1) & mask) {
    const auto number = table_[slot] - 1;
    if (keys_[number].hash == hash && text_of(number) == text) return number;
  }
  const auto number = static_cast<std::uint32_t>(keys_.size());
  keys_.push_back({hash, texts_.size(), static_cast<std::uint32_t>(text.size()),
                   asks_for_token(key) ? KeyedRecordings::token_request : 0});
  texts_ += text;
  put_in_table(table_, hash, number);
  if (!origins_.contains(key.origin)) origins_.insert(key.origin);
  return number;
}

void IndexBuilder::grow_table() {
  table_.assign(std::max(slots_min, table_.size() * 2), 0);
  for (std::uint32_t number = 0; number < keys_.size(); ++number) put_in_table(table_, keys_[number].hash, number);
}

std::string_view IndexBuilder::text_of(const Key& key) const {
  return std::string_view(texts_).substr(static_cast<std::size_t>(key.text_at), key.text_bytes);
}

void IndexBuilder::finish(const TakeLineage& lineage) {
  put_keys_in_order();
  group_recordings();
  std::vector<std::string_view> names(sessions_.size());
  for (const auto& [name, number] : sessions_) names[number] = name;
  for (auto& key : keys_) settle(key, lineage, names);
  lay_out();
}

// Texts share long beginnings and lie all over memory, so eight bytes behind what all have in common decide first.
void IndexBuilder::put_keys_in_order() {
  std::size_t shared = keys_.empty() ? 0 : text_of(0).size();
  for (const auto& key : keys_) {
    const auto first = text_of(0).substr(0, shared);
    const auto text = text_of(key);
    shared = static_cast<std::size_t>(std::mismatch(first.begin(), first.end(), text.begin(), text.end()).first -
                                      first.begin());
  }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> ordered;
  ordered.reserve(keys_.size());
  for (std::uint32_t number = 0; number < keys_.size(); ++number) {
    const auto rest = text_of(number).substr(shared);
    std::uint64_t beginning = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      beginning = beginning << 8 | (i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0);
    }
    ordered.emplace_back(beginning, number);
  }
  std::sort(ordered.begin(), ordered.end(), [this](const auto& left, const auto& right) {
    if (left.first != right.first) return left.first < right.first;
    return text_of(left.second) < text_of(right.second);
  });
  keys_in_order_.resize(ordered.size());
  std::transform(ordered.begin(), ordered.end(), keys_in_order_.begin(), [](const auto& one) { return one.second; });
}

// Each key gets its recordings as one run, in recorded order.
void IndexBuilder::group_recordings() {
  for (const auto& recording : recordings_) ++keys_[recording.key].count;
  std::uint32_t first = 0;
  for (const auto number : keys_in_order_) {
    keys_[number].first = first;
    first += std::exchange(keys_[number].count, 0);
  }
  recordings_in_order_.resize(recordings_.size());
  for (std::uint32_t i = 0; i < recordings_.size(); ++i) {
    auto& key = keys_[recordings_[i].key];
    recordings_in_order_[key.first + key.count++] = i;
  }
}

// Puts the winning recordings of a key in serving order and forgets the others.
void IndexBuilder::settle(Key& key, const TakeLineage& lineage, std::span<const std::string_view> session_names) {
  if (key.count == 1) {
    key.flags |= KeyedRecordings::single_session;
    return;
  }
  const auto begin = recordings_in_order_.begin() + key.first;
  const std::vector<std::uint32_t> own(begin, begin + key.count);
  std::vector<PrecedenceRow> rows;
  for (const auto i : own) {
    const auto& recording = recordings_[i];
    rows.push_back({recording.take_ordinal, session_names[recording.session], recording.finished_number, partial_[i]});
  }
  const auto sequences = serving_order(lineage, rows);
  key.count = 0;
  for (const auto& sequence : sequences) {
    for (const auto row : sequence.rows) recordings_in_order_[key.first + key.count++] = own[row];
  }
  if (sequences.size() == 1) key.flags |= KeyedRecordings::single_session;
}

void IndexBuilder::lay_out() {
  header_.hash_seed = seed_;
  header_.exchange_count = recordings_.size();
  std::uint64_t at = sizeof header_;
  const auto place = [&at](IndexSection& section, std::uint64_t count, std::uint64_t row_bytes) {
    section = {at, count};
    at += count * row_bytes;
  };
  std::uint64_t winning = 0;
  std::uint64_t text_bytes = key_texts_at() + texts_.size();
  for (const auto& key : keys_) winning += key.count;
  place(header_.slots, slots_for(keys_.size()), sizeof(std::uint32_t));
  place(header_.keys, keys_.size(), sizeof(KeyedRecordings));
  place(header_.recordings, winning, sizeof(RecordingRow));
  place(header_.sessions, sessions_.size(), sizeof(TextRow));
  place(header_.negotiations, negotiations_.size(), sizeof(NegotiationRow));
  place(header_.origins, origins_.size(), sizeof(TextRow));
  place(header_.texts, text_bytes, 1);
  header_.image_bytes = at;
}

// Shared texts come before those of the keys.
std::uint64_t IndexBuilder::key_texts_at() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, number] : sessions_) bytes += name.size();
  for (const auto& [negotiation, number] : negotiations_) bytes += negotiation.text.size();
  for (const auto& origin : origins_) bytes += origin.size();
  return bytes;
}

bool IndexBuilder::write(const IndexDigest& identity, const IndexSink& sink) const {
  auto header = header_;
  header.identity = identity;
  header.digest = digest_of(header);
  Output out(sink);
  out.add(bytes_of(header));
  write_slots(out);
  write_keys(out);
  write_recordings(out);
  write_shared_rows(out);
  write_texts(out);
  return out.flush();
}

IndexBytes IndexBuilder::image(const IndexDigest& identity) const {
  const auto bytes = static_cast<std::size_t>(header_.image_bytes);
  const std::shared_ptr<std::uint64_t[]> words(new std::uint64_t[bytes / 8 + 1]);
  auto* end = reinterpret_cast<char*>(words.get());
  const std::string_view view(end, bytes);
  write(identity, [&end](std::string_view piece) {
    std::memcpy(end, piece.data(), piece.size());
    end += piece.size();
    return true;
  });
  assert(end == view.data() + view.size());
  return {view, words};
}

RecordingRow IndexBuilder::row_of(std::uint32_t recording, std::uint32_t key) const {
  auto row = recordings_[recording];
  row.key = key;
  return row;
}

KeyedRecordings IndexBuilder::row_of(const Key& key, std::uint32_t number, std::uint64_t text_at,
                                     std::uint32_t first) const {
  KeyedRecordings row{key.hash, text_at, key.text_bytes, first, key.count, key.flags};
  KeyCheck check(seed_, row);
  for (std::uint32_t i = 0; i < key.count; ++i) check.add(row_of(recordings_in_order_[key.first + i], number));
  row.check = check.value();
  return row;
}

void IndexBuilder::write_slots(Output& out) const {
  std::vector<std::uint32_t> slots(static_cast<std::size_t>(header_.slots.count));
  for (std::uint32_t i = 0; i < keys_in_order_.size(); ++i) put_in_table(slots, keys_[keys_in_order_[i]].hash, i);
  for (const auto slot : slots) out.add(bytes_of(slot));
}

void IndexBuilder::write_keys(Output& out) const {
  auto text_at = key_texts_at();
  std::uint32_t first = 0;
  std::uint32_t number = 0;
  for (const auto in_order : keys_in_order_) {
    const auto& key = keys_[in_order];
    out.add(bytes_of(row_of(key, number++, text_at, first)));
    text_at += key.text_bytes;
    first += key.count;
  }
}

void IndexBuilder::write_recordings(Output& out) const {
  std::uint32_t number = 0;
  for (const auto in_order : keys_in_order_) {
    const auto& key = keys_[in_order];
    for (std::uint32_t i = 0; i < key.count; ++i)
      out.add(bytes_of(row_of(recordings_in_order_[key.first + i], number)));
    ++number;
  }
}

// Sessions and negotiations have numbers in the order in which they came; their texts lie in the order of the maps.
void IndexBuilder::write_shared_rows(Output& out) const {
  std::uint64_t at = 0;
  std::vector<TextRow> sessions(sessions_.size());
  for (const auto& [name, number] : sessions_) {
    auto& row = sessions[number];
    row = {at, name.size(), 0};
    row.check = check_of(seed_, number, row, name);
    at += name.size();
  }
  std::vector<NegotiationRow> negotiations(negotiations_.size());
  for (const auto& [negotiation, number] : negotiations_) {
    auto& row = negotiations[number];
    row = {at, negotiation.bytes, 0, 0};
    row.check = check_of(seed_, number, row, negotiation.text);
    at += negotiation.text.size();
  }
  for (const auto& row : sessions) out.add(bytes_of(row));
  for (const auto& row : negotiations) out.add(bytes_of(row));
  std::uint32_t number = 0;
  for (const auto& origin : origins_) {
    TextRow row{at, origin.size(), 0};
    row.check = check_of(seed_, number++, row, origin);
    out.add(bytes_of(row));
    at += origin.size();
  }
}

void IndexBuilder::write_texts(Output& out) const {
  for (const auto& [name, number] : sessions_) out.add(name);
  for (const auto& [negotiation, number] : negotiations_) out.add(negotiation.text);
  for (const auto& origin : origins_) out.add(origin);
  for (const auto number : keys_in_order_) out.add(text_of(number));
}

}  // namespace tapedeck
