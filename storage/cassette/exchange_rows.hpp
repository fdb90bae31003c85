#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/cassette/sqlite/statement.hpp"
#include "storage/cassette/uuid.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// One row of `exchanges`. Writing and reading it stand in one file, so that they change together.

// Where the parts of an exchange are that have tables of their own. A body without bytes has no
// row.
struct ExchangePlace {
  std::int64_t id = 0;
  std::int64_t take_ordinal = 0;
  Uuid uuid{};
  std::int64_t request_body = 0;  // 0: none
  std::int64_t response_body = 0;
};

struct ExchangeRow {
  ExchangePlace place;
  bool known_kind = true;  // false: something that only a newer tapedeck understands; the rest is unset
  Exchange exchange;       // without bodies' bytes and events
};

// The name of the first part that the reader would refuse, so that nothing is written which cannot be read again.
std::optional<std::string_view> unfit_part(const Exchange& exchange);

std::string_view insert_exchange_sql();
Result<void> insert_exchange(Statement& insert, const ExchangePlace& place, const Exchange& exchange);

// The columns that read_exchange takes, for a SELECT.
std::string_view exchange_columns();
// Nothing but well-formed values passes; the failure's detail names the column and exchange that are not.
Result<ExchangeRow> read_exchange(const Statement& select, const std::string& name_in_errors);

// The columns that read_answer takes, for a SELECT that may join other tables. SQLite copies each text that is asked
// for, so an answer does without the half of them that it does not show.
std::string_view answer_columns();
// What an answer is made of: of the request only origin and target, and no session, protocol, take or number. It is put
// into an ExchangeRow or its parts, which are new, since moving an exchange costs as much as reading many columns.
// False: of a kind that only a newer tapedeck understands. `row` is left behind these columns.
Result<bool> read_answer(RowReader& row, const std::string& name_in_errors, ExchangePlace& place, Exchange& exchange);

}  // namespace tapedeck
