#pragma once

#include <filesystem>
#include <memory>

#include "config/result.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/cassette/sqlite/database.hpp"

namespace tapedeck {

// A cassette opened for reading, so that no byte of it changes and no file is left beside it:
// - closed cleanly: the file itself, opened read-only;
// - being recorded right now: the file itself beside its writer, sharing the files that the writer has made. Such a
//   connection must be short, or the writer cannot leave WAL mode;
// - left by a run that was killed: a private copy in the temporary folder, since SQLite must recover it before it can
//   be read.
struct ReadableCassette {
  std::unique_ptr<Database> database;
  CassetteMeta meta;
  bool is_copy = false;
  bool writer_at_work = false;

  static Result<ReadableCassette> open(const std::filesystem::path& file);
};

}  // namespace tapedeck
