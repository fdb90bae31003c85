#pragma once

#include <array>
#include <cassert>
#include <optional>
#include <string_view>

#include "storage/cassette/cassette_writer.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// The words by which a cassette names the values of our enums. They are part of the format: add, never change.

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};

// clang before 17 deduces nothing for an aggregate by itself.
template <class Enum>
Word(Enum, const char*) -> Word<Enum>;

inline constexpr std::array take_kind_words{
    Word{TakeKind::replace, "replace"},
    Word{TakeKind::extend, "extend"},
};

inline constexpr std::array take_state_words{
    Word{TakeState::open, "open"},
    Word{TakeState::complete, "complete"},
    Word{TakeState::interrupted, "interrupted"},
};

inline constexpr std::array exchange_state_words{
    Word{ExchangeState::open, "open"},
    Word{ExchangeState::whole, "whole"},
    Word{ExchangeState::cut, "cut"},
};

inline constexpr std::array initiator_words{
    Word{Initiator::client, "client"},
    Word{Initiator::inbound, "inbound"},
};

inline constexpr std::array way_in_words{
    Word{WayIn::connect_tls, "connect-tls"},     Word{WayIn::connect_plain, "connect-plain"},
    Word{WayIn::absolute_form, "absolute-form"}, Word{WayIn::tls_direct, "tls-direct"},
    Word{WayIn::origin_form, "origin-form"},
};

inline constexpr std::array body_form_words{
    Word{BodyForm::verbatim, "verbatim"},
    Word{BodyForm::edited, "edited"},
    Word{BodyForm::identity, "identity"},
};

inline constexpr std::array body_framing_words{
    Word{BodyFraming::none, "none"},
    Word{BodyFraming::content_length, "content-length"},
    Word{BodyFraming::chunked, "chunked"},
    Word{BodyFraming::until_close, "until-close"},
};

inline constexpr std::array failure_phase_words{
    Word{NetworkFailure::Phase::resolve, "resolve"},
    Word{NetworkFailure::Phase::connect, "connect"},
    Word{NetworkFailure::Phase::tls_handshake, "tls-handshake"},
    Word{NetworkFailure::Phase::send_request, "send-request"},
    Word{NetworkFailure::Phase::await_response, "await-response"},
    Word{NetworkFailure::Phase::read_response, "read-response"},
};

inline constexpr std::array failure_kind_words{
    Word{NetworkFailure::Kind::not_found, "not-found"},
    Word{NetworkFailure::Kind::refused, "refused"},
    Word{NetworkFailure::Kind::unreachable, "unreachable"},
    Word{NetworkFailure::Kind::timeout, "timeout"},
    Word{NetworkFailure::Kind::reset, "reset"},
    Word{NetworkFailure::Kind::closed, "closed"},
    Word{NetworkFailure::Kind::certificate, "certificate"},
    Word{NetworkFailure::Kind::tls_alert, "tls-alert"},
    Word{NetworkFailure::Kind::protocol, "protocol"},
};

inline constexpr std::array failure_side_words{
    Word{NetworkFailure::Side::client, "client"},
    Word{NetworkFailure::Side::upstream, "upstream"},
};

template <class Enum, std::size_t N>
constexpr std::string_view word_of(const std::array<Word<Enum>, N>& words, Enum value) {
  for (const auto& word : words) {
    if (word.value == value) return word.text;
  }
  assert(!"an enum value without a word");
  return {};
}

template <class Enum, std::size_t N>
constexpr std::optional<Enum> value_of(const std::array<Word<Enum>, N>& words, std::string_view text) {
  for (const auto& word : words) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

}  // namespace tapedeck
