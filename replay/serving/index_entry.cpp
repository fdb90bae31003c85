#include "replay/serving/index_entry.hpp"

#include "replay/matching/body_key.hpp"

namespace tapedeck {

namespace {

bool has_answer(const Exchange& exchange) {
  return exchange.response.has_value() || exchange.failure.has_value();
}

bool is_partial(const Exchange& exchange) {
  return exchange.cut_by_client || (exchange.state != ExchangeState::whole && !exchange.failure);
}

NegotiationTexts negotiation_of(const Exchange& exchange) {
  const auto conditions = conditions_of(exchange.request.headers);
  std::string media_type;
  std::string_view content_coding;
  if (exchange.response) {
    const auto& headers = exchange.response->headers;
    media_type = media_type_of(headers.find("Content-Type").value_or(""));
    content_coding = headers.find("Content-Encoding").value_or("");
  }
  NegotiationTexts negotiation;
  std::size_t i = 0;
  for (const std::string_view part :
       {std::string_view(conditions.accept), std::string_view(conditions.accept_encoding),
        std::string_view(conditions.validators), std::string_view(media_type), content_coding}) {
    negotiation.bytes[i++] = static_cast<std::uint32_t>(part.size());
    negotiation.text += part;
  }
  return negotiation;
}

}  // namespace

Negotiation NegotiationTexts::negotiation_in(std::string_view text, const std::array<std::uint32_t, 5>& bytes) {
  const auto next = [&text](std::uint32_t size) {
    const auto part = text.substr(0, size);
    text.remove_prefix(part.size());
    return part;
  };
  Negotiation negotiation;
  negotiation.accept = next(bytes[0]);
  negotiation.accept_encoding = next(bytes[1]);
  negotiation.validators = next(bytes[2]);
  negotiation.media_type = next(bytes[3]);
  negotiation.content_coding = next(bytes[4]);
  return negotiation;
}

std::optional<IndexEntry> index_entry_of(const StoredExchange& stored) {
  const auto& exchange = stored.exchange;
  if (!has_answer(exchange)) return std::nullopt;
  IndexEntry entry;
  entry.row.exchange_id = stored.id;
  entry.row.take_ordinal = stored.take_ordinal;
  entry.row.recorded_at_us = exchange.started_at_us;
  entry.row.finished_number = exchange.finished_number;
  entry.row.status = exchange.response ? exchange.response->status : 0;
  entry.partial = is_partial(exchange);
  entry.negotiation = negotiation_of(exchange);
  return entry;
}

bool asks_for_token(const MatchKey& key) {
  if (!key.path.ends_with("/token")) return false;
  if (key.body_kind == "form") return ("&" + key.body).find("&grant_type=") != std::string::npos;
  return key.body_kind == "json" && key.body.find("\"grant_type\":") != std::string::npos;
}

}  // namespace tapedeck
