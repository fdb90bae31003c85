#pragma once

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>

#include "storage/cassette/exchange_writer.hpp"
#include "storage/cassette/long_body.hpp"
#include "storage/cassette/recording_step.hpp"

namespace tapedeck {

// The long exchanges that are being written. Belongs to the writer; the caller holds the transaction, and when that
// fails, forgets them all: what is known of them here is then ahead of the file.
class LongExchanges {
 public:
  static Result<std::unique_ptr<LongExchanges>> prepare(Database& database);

  // The row's id, or nothing for one that is not known yet.
  std::optional<std::int64_t> row_of(LongExchangeId id) const;
  // `place` names a row for an exchange that is not known yet.
  Result<void> keep_heads(const LongHeads& step, const ExchangePlace& place, ExchangeWriter& exchanges);
  Result<void> keep_piece(const LongPiece& step);
  Result<void> end(const LongEnd& step, ExchangeWriter& exchanges);
  void forget_all() { open_.clear(); }

 private:
  struct Open {
    ExchangePlace place;
    std::array<std::optional<LongBody>, 2> bodies;  // by direction
  };
  LongExchanges(Database& database, std::unique_ptr<LongBodyWriter> bodies, Statement set_request_body,
                Statement set_response_body);
  Failure unknown() const;

  Database* database_;
  std::unique_ptr<LongBodyWriter> bodies_;
  Statement set_request_body_, set_response_body_;
  std::unordered_map<LongExchangeId, Open> open_;
};

}  // namespace tapedeck
