#include "storage/cassette/long_exchanges.hpp"

namespace tapedeck {

namespace {

std::int64_t& body_in(ExchangePlace& place, Direction direction) {
  return direction == Direction::request ? place.request_body : place.response_body;
}

}  // namespace

LongExchanges::LongExchanges(Database& database, std::unique_ptr<LongBodyWriter> bodies, Statement set_request_body,
                             Statement set_response_body)
    : database_(&database),
      bodies_(std::move(bodies)),
      set_request_body_(std::move(set_request_body)),
      set_response_body_(std::move(set_response_body)) {
}

Result<std::unique_ptr<LongExchanges>> LongExchanges::prepare(Database& database) {
  auto bodies = LongBodyWriter::prepare(database);
  if (!bodies) return bodies.error();
  auto request = database.prepare("UPDATE exchanges SET request_body = ? WHERE id = ?");
  if (!request) return request.error();
  auto response = database.prepare("UPDATE exchanges SET response_body = ? WHERE id = ?");
  if (!response) return response.error();
  return std::unique_ptr<LongExchanges>(
      new LongExchanges(database, std::move(*bodies), std::move(*request), std::move(*response)));
}

// A step that names what has no heads follows on a batch that failed; nobody may take it for kept.
Failure LongExchanges::unknown() const {
  return {"cassette-write-failed", Blame::us,
          "an exchange could not be kept in " + database_->name() + ", since its beginning was not; record it again"};
}

std::optional<std::int64_t> LongExchanges::row_of(LongExchangeId id) const {
  const auto found = open_.find(id);
  if (found == open_.end()) return std::nullopt;
  return found->second.place.id;
}

Result<void> LongExchanges::keep_heads(const LongHeads& step, const ExchangePlace& place, ExchangeWriter& exchanges) {
  const auto [found, is_new] = open_.try_emplace(step.id);
  auto& open = found->second;
  if (is_new) {
    open.place = place;
  } else if (auto removed = exchanges.remove_row(open.place.id); !removed) {
    return removed;
  }
  return exchanges.insert(step.exchange.exchange(), open.place);
}

Result<void> LongExchanges::keep_piece(const LongPiece& step) {
  const auto found = open_.find(step.id);
  if (found == open_.end()) return unknown();
  auto& open = found->second;
  auto& body = open.bodies[static_cast<std::size_t>(step.direction)];
  if (!body) body.emplace();
  if (auto appended = bodies_->append(*body, step.bytes.bytes()); !appended) return appended;
  auto& known = body_in(open.place, step.direction);
  if (known == body->id) return {};
  known = body->id;
  auto& set = step.direction == Direction::request ? set_request_body_ : set_response_body_;
  return set.bind(known).bind(open.place.id).run_changing(1);
}

Result<void> LongExchanges::end(const LongEnd& step, ExchangeWriter& exchanges) {
  const auto found = open_.find(step.id);
  if (found == open_.end()) return step.exchange ? Result<void>(unknown()) : Result<void>();
  auto& open = found->second;
  // The row goes first, so that nothing refers to a body that gives way to an equal one.
  if (auto removed = exchanges.remove_row(open.place.id); !removed) return removed;
  for (const auto direction : {Direction::request, Direction::response}) {
    auto& body = open.bodies[static_cast<std::size_t>(direction)];
    if (!body) continue;
    if (!step.exchange) {
      if (auto removed = bodies_->remove(*body); !removed) return removed;
      continue;
    }
    auto kept = bodies_->finish(*body, exchanges.bodies());
    if (!kept) return kept.error();
    body_in(open.place, direction) = *kept;
  }
  if (step.exchange) {
    if (auto inserted = exchanges.insert(step.exchange->exchange(), open.place); !inserted) return inserted;
  }
  open_.erase(found);
  return {};
}

}  // namespace tapedeck
