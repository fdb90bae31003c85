#include "replay/serving/cursors.hpp"

#include <functional>

#include "replay/serving/sequence.hpp"

namespace tapedeck {

namespace {

// Most sequences are shorter: a cursor that is there moves without allocating.
constexpr std::size_t served_at_once = 16;

}  // namespace

std::size_t Cursors::Hash::operator()(const IdView& id) const {
  return std::hash<const void*>{}(id.key) * 31 + std::hash<std::string_view>{}(id.session);
}

std::optional<std::size_t> Cursors::advance(const void* key, std::string_view session, SequencePolicy policy,
                                            std::span<const std::size_t> candidates) {
  const IdView id{key, session};
  auto& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  auto& served = served_of(shard, id);
  const auto chosen = next_in_sequence(policy, candidates, served);
  if (chosen) mark(served, *chosen);
  return chosen;
}

void Cursors::mark_served(const void* key, std::string_view session, std::size_t index) {
  const IdView id{key, session};
  auto& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  mark(served_of(shard, id), index);
}

Cursors::Shard& Cursors::shard_of(const IdView& id) {
  // Addresses are aligned, so the low bits alone would crowd a few shards.
  return shards_[(Hash{}(id)*0x9e3779b97f4a7c15u) >> 60];
}

Cursors::Served& Cursors::served_of(Shard& shard, const IdView& id) {
  if (const auto found = shard.cursors.find(id); found != shard.cursors.end()) return found->second;
  if (shard.cursors.size() >= cursors_max / 16) shard.cursors.erase(shard.cursors.begin());
  auto& served = shard.cursors[Id{id.key, std::string(id.session)}];
  served.reserve(served_at_once);
  return served;
}

void Cursors::mark(Served& served, std::size_t index) {
  if (index >= served.size()) served.resize(index + 1);
  ++served[index];
}

}  // namespace tapedeck
