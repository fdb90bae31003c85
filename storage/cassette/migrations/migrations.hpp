#pragma once

#include <cstdint>

#include "config/result.hpp"
#include "storage/cassette/sqlite/database.hpp"

namespace tapedeck {

// Brings a cassette of an older format to ours, one format at a time, in the caller's transaction. Only writers do.
Result<void> migrate(Database& database, std::int64_t from_format);

}  // namespace tapedeck
