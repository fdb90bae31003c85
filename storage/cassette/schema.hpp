#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.hpp"
#include "storage/cassette/environment.hpp"
#include "storage/cassette/sqlite/database.hpp"

namespace tapedeck {

// Cassette format 1 (docs/cassette-format.md). Whoever changes a line here makes a new format: a number, a migration,
// and a cassette of the old format kept among the tests.
inline constexpr std::uint32_t cassette_application_id = 0x5444434b;  // "TDCK"
inline constexpr std::int64_t cassette_format = 1;
inline constexpr std::size_t body_piece_bytes = 64 * 1024;

// Bounds of what a column may hold. Written and read by the same numbers.
inline constexpr std::size_t word_bytes_max = 64;
inline constexpr std::size_t name_bytes_max = 4096;               // session, host, method, reason, failure code
inline constexpr std::size_t head_bytes_max_stored = 512 * 1024;  // a target, a header list
inline constexpr std::size_t interim_bytes_max = 2 * 1024 * 1024;
inline constexpr std::size_t rules_bytes_max = 1024 * 1024;
inline constexpr std::uint64_t body_bytes_max_stored = std::uint64_t{1} << 40;
inline constexpr std::int64_t time_us_max = std::int64_t{1} << 53;  // sums of two never overflow

// What a cassette says of itself.
struct CassetteMeta {
  std::int64_t format = 0;
  std::int64_t min_reader = 0;
  std::string uuid;  // text form
};

// Makes tables and meta of the newest format in an empty database. The caller holds the transaction.
Result<void> create_schema(Database& database, const CassetteEnvironment& environment);

// Refuses what is no cassette (cassette-foreign) before SQLite parses a line of it.
Result<void> check_header(const DatabaseHeader& header, const std::string& name);
// Refuses a file that was cut inside a page, which SQLite reads as if zeros followed. Only for one that waits for no
// recovery.
Result<void> check_whole_pages(const DatabaseHeader& header, const std::string& name);

// Refuses a cassette that this program cannot read: cassette-foreign, cassette-newer, cassette-corrupt. The schema must
// be ours to the letter; a newer format that lets us read it may add objects but not change ours.
Result<CassetteMeta> check_schema(Database& database);

}  // namespace tapedeck
