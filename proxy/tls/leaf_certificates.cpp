#include "proxy/tls/leaf_certificates.hpp"

#include <atomic>
#include <cassert>
#include <future>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tapedeck {
namespace {

using TimePoint = std::chrono::system_clock::time_point;
using Minted = Result<std::shared_ptr<SSL_CTX>>;

constexpr std::chrono::days minted_again_before_end{1};

struct Entry {
  std::string name;
  std::shared_future<Minted> minted;
  TimePoint mint_again_at = TimePoint::max();  // known once minted
  std::uint64_t number = 0;                    // tells an entry from a later one of the same name
};

}  // namespace

// One mutex is enough: it is held for a look-up in a map, once a handshake, which itself costs a thousand times that.
// Minting happens outside it, in the thread of whoever asked first.
struct LeafCertificates::State {
  std::shared_ptr<const CertificateAuthority> authority;
  std::size_t names_max;
  Clock clock;
  std::string ticket_keys = make_ticket_keys();
  std::atomic<std::uint64_t> minted_count{0};

  std::mutex mutex;
  std::list<Entry> entries;                                                  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_name;  // keys are views into `entries`
  std::uint64_t last_number = 0;

  // With `mutex` held.
  void drop(std::list<Entry>::iterator entry) {
    by_name.erase(entry->name);
    entries.erase(entry);
  }
  const Entry& put(std::string_view name, std::shared_future<Minted> minted) {
    if (entries.size() >= names_max) drop(std::prev(entries.end()));
    entries.push_front({std::string(name), std::move(minted), TimePoint::max(), ++last_number});
    by_name.emplace(entries.front().name, entries.begin());
    return entries.front();
  }

  Minted mint(std::string_view name, TimePoint now, TimePoint& mint_again_at);
  void settle(std::string_view name, std::uint64_t number, bool keep, TimePoint mint_again_at);
};

Minted LeafCertificates::State::mint(std::string_view name, TimePoint now, TimePoint& mint_again_at) {
  const auto leaf = authority->mint(name, now);
  if (!leaf) return leaf.error();
  ++minted_count;
  const TimePoint early = leaf->expires_at - minted_again_before_end;
  // A leaf that the authority's own end cuts short is used to its end: a new one would be no longer.
  mint_again_at = early > now ? early : leaf->expires_at;
  return server_context(*leaf, name, ticket_keys);
}

void LeafCertificates::State::settle(std::string_view name, std::uint64_t number, bool keep, TimePoint mint_again_at) {
  const std::lock_guard lock(mutex);
  const auto found = by_name.find(name);
  if (found == by_name.end() || found->second->number != number) return;
  found->second->mint_again_at = mint_again_at;
  if (!keep) drop(found->second);
}

LeafCertificates::LeafCertificates(std::shared_ptr<const CertificateAuthority> authority, std::size_t names_max,
                                   Clock clock)
    : state_(std::make_unique<State>()) {
  assert(authority && names_max > 0);
  state_->authority = std::move(authority);
  state_->names_max = names_max;
  state_->clock = std::move(clock);
}
LeafCertificates::~LeafCertificates() = default;

Result<std::shared_ptr<SSL_CTX>> LeafCertificates::context_for(std::string_view name) {
  State& state = *state_;
  const TimePoint now = state.clock();
  std::promise<Minted> promise;
  std::uint64_t number = 0;
  {
    std::unique_lock lock(state.mutex);
    if (const auto found = state.by_name.find(name); found != state.by_name.end()) {
      const auto entry = found->second;
      if (now < entry->mint_again_at) {
        state.entries.splice(state.entries.begin(), state.entries, entry);
        const auto minted = entry->minted;
        lock.unlock();
        return minted.get();
      }
      state.drop(entry);
    }
    number = state.put(name, promise.get_future().share()).number;
  }

  try {
    TimePoint mint_again_at = TimePoint::max();
    Minted minted = state.mint(name, now, mint_again_at);
    // Settled before others may see it, so that a failure is not answered twice to one who asks again.
    state.settle(name, number, minted.has_value(), mint_again_at);
    promise.set_value(minted);
    return minted;
  } catch (...) {
    state.settle(name, number, false, TimePoint::max());
    promise.set_exception(std::current_exception());
    throw;
  }
}

std::uint64_t LeafCertificates::minted_count() const {
  return state_->minted_count;
}

}  // namespace tapedeck
