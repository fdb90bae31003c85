#include "replay/serving/sequence.hpp"

#include <algorithm>
#include <cassert>

namespace tapedeck {

std::optional<std::size_t> next_in_sequence(SequencePolicy policy, std::span<const std::size_t> candidates,
                                            std::span<const std::uint32_t> served) {
  assert(!candidates.empty());
  const auto times_served = [&](std::size_t index) { return index < served.size() ? served[index] : 0; };
  if (policy == SequencePolicy::first) return candidates.front();
  if (policy == SequencePolicy::last) return candidates.back();
  const auto fresh =
      std::find_if(candidates.begin(), candidates.end(), [&](std::size_t index) { return times_served(index) == 0; });
  if (fresh != candidates.end()) return *fresh;
  if (policy == SequencePolicy::error) return std::nullopt;
  if (policy == SequencePolicy::sticky) return candidates.back();
  return *std::min_element(candidates.begin(), candidates.end(), [&](std::size_t left, std::size_t right) {
    return times_served(left) < times_served(right);
  });
}

bool needs_cursor(SequencePolicy policy, std::size_t candidate_count) {
  switch (policy) {
    case SequencePolicy::first:
    case SequencePolicy::last:
      return false;
    case SequencePolicy::error:
      return true;
    case SequencePolicy::sticky:
    case SequencePolicy::cycle:
      return candidate_count > 1;
  }
  return true;
}

}  // namespace tapedeck
