#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/cassette/bodies.hpp"
#include "storage/cassette/sha256.hpp"
#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

// A body whose bytes still come.
struct LongBody {
  std::int64_t id = 0;     // 0 until its first piece is kept
  std::uint64_t kept = 0;  // how many bytes lie in the cassette: always whole pieces
  std::string rest;        // what is not yet a piece
  Sha256 digest;           // of all that came
};

// Keeps bodies as they come. After each call what lies in the cassette is a body that can be read, as far as it goes;
// its digest is NULL until it has ended.
class LongBodyWriter {
 public:
  static Result<std::unique_ptr<LongBodyWriter>> prepare(Database& database);

  Result<void> append(LongBody& body, std::string_view bytes);
  // Gives the id of the body with these bytes, which is another one's if equal bytes lie there already; 0 for no bytes.
  // Nothing may refer to `body` any more, since its row may go.
  Result<std::int64_t> finish(LongBody& body, BodyWriter& bodies);
  Result<void> remove(LongBody& body);

 private:
  LongBodyWriter(Database& database, Statement insert, Statement insert_piece, Statement set_size, Statement set_digest,
                 Statement remove_pieces, Statement remove);
  Result<void> keep_piece(LongBody& body, std::string_view piece);

  Database* database_;
  Statement insert_, insert_piece_, set_size_, set_digest_, remove_pieces_, remove_;
};

}  // namespace tapedeck
