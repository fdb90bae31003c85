#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "config/result.hpp"
#include "storage/cassette/cassette_writer.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

struct Take {
  std::int64_t ordinal = 0;
  std::string uuid;
  TakeKind kind = TakeKind::replace;
  TakeState state = TakeState::open;
  std::int64_t parent_ordinal = 0;  // of an extend take; 0: none
  std::int64_t started_at_us = 0;
  std::int64_t ended_at_us = 0;
  std::string tool_version;
  std::uint64_t exchange_count = 0;
};

// A body in a cassette; equal bodies have equal ids, once they are whole.
struct StoredBody {
  std::int64_t id = 0;  // 0: no bytes
  std::uint64_t size = 0;
};

struct StoredExchange {
  std::int64_t id = 0;
  std::string uuid;
  std::int64_t take_ordinal = 0;
  StoredBody request_body;
  StoredBody response_body;
  Exchange exchange;

  // A body that was asked for and is too large to be held: its bytes are not in `exchange`.
  bool request_body_stays() const { return request_body.size > exchange.request.body.bytes.size(); }
  bool response_body_stays() const {
    return exchange.response && response_body.size > exchange.response->body.bytes.size();
  }
};

// What tells one state of a cassette from any other, as far as it can be known without reading the file.
struct CassetteStamp {
  std::string uuid;
  std::uint64_t file_bytes = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t change_counter = 0;  // of SQLite (file format, §1.3.7); not moved by every commit in WAL mode

  friend bool operator==(const CassetteStamp&, const CassetteStamp&) = default;
};

// Which parts of exchanges a visit loads. Bodies of responses are the bulk of a cassette, so an index is built without.
// A body above `body_bytes_max` stays in the cassette, from where load_piece reads it.
struct ReadParts {
  bool request_bodies = true;
  bool response_bodies = true;
  bool events = false;
  std::uint64_t body_bytes_max = body_memory_bytes_max;
};

// Reads a cassette and never changes a byte of it or of its folder (docs/cassette-format.md, "Reading"). Everything in
// the file is hostile: the schema is compared, sizes are bounded, types are checked. One reader belongs to one thread.
class CassetteReader {
 public:
  // Failures: cassette-missing, cassette-unreadable, cassette-foreign, cassette-newer, cassette-corrupt,
  // cassette-hot-wal.
  static Result<std::unique_ptr<CassetteReader>> open(const std::filesystem::path& file);
  ~CassetteReader();

  const std::string& uuid() const;
  // nullopt while the file is not all there is: a writer is at work, or a -wal waits to be recovered.
  Result<std::optional<CassetteStamp>> stamp();
  Result<std::vector<Take>> takes();
  Result<StoredExchange> load(std::int64_t id, const ReadParts& parts);
  // What its answer is made of, see read_answer, into a new StoredExchange. A body above `body_bytes_max` stays.
  Result<void> load_answer(std::int64_t id, std::uint64_t body_bytes_max, StoredExchange& answer);
  // From here to release() one lock serves all that is read, in place of one for each call, and one state of the
  // cassette is seen. A recorder waits for that lock when it starts and when it ends, so it must not be kept for long.
  // What load_answer cannot find whole in that state it looks for in the newest. Failures: as of a load.
  Result<void> hold();
  void release();
  // All exchanges in order of (take ordinal, finished number), until `visit` returns false.
  Result<void> for_each(const ReadParts& parts, const std::function<bool(StoredExchange&&)>& visit);
  // Piece `n` of a body, from 0 on: 64 KiB, but for the last. Behind the end it is empty.
  Result<void> load_piece(const StoredBody& body, std::uint64_t n, std::string& bytes);
  // All pieces in order, until `visit` returns false.
  Result<void> for_each_piece(const StoredBody& body, const std::function<bool(std::string_view)>& visit);
  // PRAGMA integrity_check and foreign keys, for tests and `tapedeck check`.
  Result<void> check_integrity();

 private:
  struct State;
  class Visit;
  explicit CassetteReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Removes the newest take and what only it holds. A writer's job: takes the lock. Returns the ordinal that was dropped.
Result<std::int64_t> drop_last_take(const std::filesystem::path& file, std::chrono::milliseconds lock_wait_ms);

}  // namespace tapedeck
