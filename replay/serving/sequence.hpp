#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "config/options.hpp"

namespace tapedeck {

// Which of the recordings of one key comes next for one session. `candidates` are those that may answer this request,
// in recorded order, as indexes into `served`, which counts how often the session was given each. Marks instead of one
// position: requests that differ in their conditions see different candidates of the same list, and none must make
// another skip a recording. nullopt: the sequence has run out (policy error).
std::optional<std::size_t> next_in_sequence(SequencePolicy policy, std::span<const std::size_t> candidates,
                                            std::span<const std::uint32_t> served);

// Whether the answer can change from one time to the next, so that a session must be remembered.
bool needs_cursor(SequencePolicy policy, std::size_t candidate_count);

}  // namespace tapedeck
