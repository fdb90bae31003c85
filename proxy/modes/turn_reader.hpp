#pragma once

#include <memory>
#include <string>

#include "proxy/runtime/asio.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// A worker's reader, which takes the cassette's lock once for all that is loaded within a turn of the event loop, and
// gives it up when the turn has ended. It lives until the loop runs no more.
class TurnReader {
 public:
  TurnReader(Executor executor, std::unique_ptr<CassetteReader> reader);
  TurnReader(const TurnReader&) = delete;
  TurnReader& operator=(const TurnReader&) = delete;

  // See CassetteReader::load_answer.
  Result<void> load_answer(std::int64_t id, std::uint64_t body_bytes_max, StoredExchange& answer);
  // Asks for no lock of the turn: between two pieces there mostly is a wait.
  Result<void> load_piece(const StoredBody& body, std::uint64_t n, std::string& bytes);
  std::uint64_t loads() const { return loads_; }

 private:
  // Many connections with many requests each make a turn long; who waits for the lock gets it in between.
  static constexpr int loads_per_hold_max = 256;

  Result<void> hold();

  Executor executor_;
  std::unique_ptr<CassetteReader> reader_;
  std::uint64_t loads_ = 0;
  int loads_in_hold_ = 0;
  bool release_is_posted_ = false;
};

}  // namespace tapedeck
