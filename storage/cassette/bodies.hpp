#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

// Bodies lie apart from exchanges, each once however many exchanges share it: the first 64 KiB in its row, so that a
// small body costs no more than that, the rest in further pieces of that size.

std::string sha256(std::string_view bytes);

class BodyWriter {
 public:
  static Result<std::unique_ptr<BodyWriter>> prepare(Database& database);

  // The id of the body with these bytes, made when there is none. 0 for no bytes.
  Result<std::int64_t> keep(std::string_view bytes);

 private:
  BodyWriter(Database& database, Statement find, Statement insert_body, Statement insert_piece);
  Database* database_;
  Statement find_, insert_body_, insert_piece_;
};

class BodyReader {
 public:
  static Result<std::unique_ptr<BodyReader>> prepare(Database& database);

  // A body that is missing, or whose pieces do not add up, is cassette-corrupt.
  Result<void> load(std::int64_t id, std::string& bytes);
  // Recomputes the digests of all bodies.
  static Result<void> check_digests(Database& database);

 private:
  BodyReader(std::string name, Statement find, Statement pieces);
  Result<void> load_pieces(std::int64_t id, std::uint64_t size, std::string& bytes);
  Failure damaged(std::int64_t id, std::string_view what) const;
  std::string name_;
  Statement find_, pieces_;
};

}  // namespace tapedeck
