#pragma once

#include <memory>
#include <string_view>

#include "storage/cassette/bodies.hpp"
#include "storage/cassette/exchange_rows.hpp"
#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

// "cassette-write-failed", since the reader would refuse that part of an exchange (or of a take).
Failure unfit_for_cassette(const std::string& name, std::string_view part);

// Writes exchanges with what they have in other tables. The caller holds the transaction.
class ExchangeWriter {
 public:
  static Result<std::unique_ptr<ExchangeWriter>> prepare(Database& database);

  // A body whose id `place` has already is taken from there; the others are kept.
  Result<void> insert(const Exchange& exchange, ExchangePlace place);
  // The row alone, so that it can be inserted anew.
  Result<void> remove_row(std::int64_t exchange_id);

  BodyWriter& bodies() { return *bodies_; }

 private:
  ExchangeWriter(Database& database, std::unique_ptr<BodyWriter> bodies, Statement insert_exchange,
                 Statement insert_event, Statement remove_row);
  Result<void> insert_events(const Exchange& exchange, std::int64_t id);

  Database* database_;
  std::unique_ptr<BodyWriter> bodies_;
  Statement insert_exchange_, insert_event_, remove_row_;
};

}  // namespace tapedeck
