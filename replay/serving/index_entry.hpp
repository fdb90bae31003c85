#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "replay/matching/match_key.hpp"
#include "replay/serving/eligibility.hpp"
#include "replay/serving/index_layout.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// A Negotiation that owns its texts.
struct NegotiationTexts {
  std::array<std::uint32_t, 5> bytes{};
  std::string text;

  Negotiation view() const { return negotiation_in(text, bytes); }
  // Of texts that stand one after the other; together they are no longer than `text`.
  static Negotiation negotiation_in(std::string_view text, const std::array<std::uint32_t, 5>& bytes);
  friend auto operator<=>(const NegotiationTexts&, const NegotiationTexts&) = default;
};

// What an index keeps of one exchange, with its session and negotiation not yet numbers.
struct IndexEntry {
  RecordingRow row;
  bool partial = false;  // see PrecedenceRow
  NegotiationTexts negotiation;
};

// nullopt: nothing came back at all, so it answers nothing.
std::optional<IndexEntry> index_entry_of(const StoredExchange& stored);

// Clients ask for a token as often as they like, so one that is left over says nothing about a test.
bool asks_for_token(const MatchKey& key);

}  // namespace tapedeck
