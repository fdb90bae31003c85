#include "storage/cassette/exchange_writer.hpp"

namespace tapedeck {

Failure unfit_for_cassette(const std::string& name, std::string_view part) {
  return {"cassette-write-failed", Blame::us,
          "an exchange does not fit into " + name + ": its " + std::string(part) +
              " is too large or malformed; leave its host out with --host or --profile"};
}

ExchangeWriter::ExchangeWriter(Database& database, std::unique_ptr<BodyWriter> bodies, Statement insert_exchange,
                               Statement insert_event, Statement remove_row)
    : database_(&database),
      bodies_(std::move(bodies)),
      insert_exchange_(std::move(insert_exchange)),
      insert_event_(std::move(insert_event)),
      remove_row_(std::move(remove_row)) {
}

Result<std::unique_ptr<ExchangeWriter>> ExchangeWriter::prepare(Database& database) {
  auto bodies = BodyWriter::prepare(database);
  if (!bodies) return bodies.error();
  auto exchange = database.prepare(insert_exchange_sql());
  if (!exchange) return exchange.error();
  auto event = database.prepare(
      "INSERT INTO events(exchange, n, direction, kind, time_us, offset, length, data)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, NULL)");
  if (!event) return event.error();
  auto remove = database.prepare("DELETE FROM exchanges WHERE id = ?");
  if (!remove) return remove.error();
  return std::unique_ptr<ExchangeWriter>(
      new ExchangeWriter(database, std::move(*bodies), std::move(*exchange), std::move(*event), std::move(*remove)));
}

Result<void> ExchangeWriter::insert(const Exchange& exchange, ExchangePlace place) {
  if (const auto part = unfit_part(exchange)) return unfit_for_cassette(database_->name(), *part);
  if (place.request_body == 0) {
    auto request_body = bodies_->keep(exchange.request.body.bytes);
    if (!request_body) return request_body.error();
    place.request_body = *request_body;
  }
  if (exchange.response && place.response_body == 0) {
    auto response_body = bodies_->keep(exchange.response->body.bytes);
    if (!response_body) return response_body.error();
    place.response_body = *response_body;
  }
  if (auto inserted = insert_exchange(insert_exchange_, place, exchange); !inserted) return inserted;
  return insert_events(exchange, place.id);
}

Result<void> ExchangeWriter::insert_events(const Exchange& exchange, std::int64_t id) {
  std::int64_t n = 0;
  for (const auto& event : exchange.events) {
    insert_event_.bind(id)
        .bind(++n)
        .bind(static_cast<std::int64_t>(event.direction))
        .bind(static_cast<std::int64_t>(event.kind))
        .bind(event.time_us)
        .bind(static_cast<std::int64_t>(event.offset))
        .bind(static_cast<std::int64_t>(event.length));
    if (auto inserted = insert_event_.run_changing(1); !inserted) return inserted;
  }
  return {};
}

Result<void> ExchangeWriter::remove_row(std::int64_t exchange_id) {
  return remove_row_.bind(exchange_id).run_changing(1);
}

}  // namespace tapedeck
