#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/options.hpp"

namespace tapedeck {

// Where each session stands in the recordings of each key. Thread-safe: every recording of a sequence is handed out as
// often as its policy says, however many threads ask at once. Sharded, so that workers seldom meet.
class Cursors {
 public:
  // Session names come from clients, so what is remembered is bounded. Beyond it some session starts a sequence again.
  static constexpr std::size_t cursors_max = 64 * 1024;

  // Chooses by next_in_sequence and marks the choice as served. `key` is only an identity.
  std::optional<std::size_t> advance(const void* key, std::string_view session, SequencePolicy policy,
                                     std::span<const std::size_t> candidates);
  // The session has had that recording in another way.
  void mark_served(const void* key, std::string_view session, std::size_t index);

 private:
  struct Id {
    const void* key;
    std::string session;
  };
  struct IdView {
    const void* key;
    std::string_view session;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const IdView& id) const;
    std::size_t operator()(const Id& id) const { return (*this)(IdView{id.key, id.session}); }
  };
  struct Equal {
    using is_transparent = void;
    template <class Left, class Right>
    bool operator()(const Left& left, const Right& right) const {
      return left.key == right.key && left.session == right.session;
    }
  };
  using Served = std::vector<std::uint32_t>;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Id, Served, Hash, Equal> cursors;
  };

  Shard& shard_of(const IdView& id);
  static Served& served_of(Shard& shard, const IdView& id);
  static void mark(Served& served, std::size_t index);

  std::array<Shard, 16> shards_;
};

}  // namespace tapedeck
