#pragma once

#include <filesystem>
#include <memory>

#include "config/result.hpp"
#include "storage/cassette/sqlite/database.hpp"

namespace tapedeck {

// Copies a cassette that waits for recovery, with its -wal or -journal, into a folder of our own in the temporary
// folder, recovers the copy and opens it. The copy has no name any more when this returns and vanishes with the
// connection. `source` must not have begun to read; no writer may be at work. Failures: cassette-hot-wal when there is
// no room for the copy, cassette-corrupt.
Result<std::unique_ptr<Database>> copy_privately(Database& source, const std::filesystem::path& file);

}  // namespace tapedeck
