#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

// Bodies lie apart from exchanges, each once however many exchanges share it: the first 64 KiB in its row, so that a
// small body costs no more than that, the rest in further pieces of that size.

class BodyWriter {
 public:
  static Result<std::unique_ptr<BodyWriter>> prepare(Database& database);

  // The id of the body with this digest, or 0.
  Result<std::int64_t> find(std::string_view digest) { return find_.bind_blob(digest).take_integer(0); }
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
  Result<std::uint64_t> size_of(std::int64_t id);
  // Piece `n`, from 0 on, of a body of `size` bytes; empty behind the end.
  Result<void> load_piece(std::int64_t id, std::uint64_t size, std::uint64_t n, std::string& bytes);
  // The whole body, when it has no more than `bytes_max`; else `bytes` is left as it is. Gives its size.
  Result<std::uint64_t> load(std::int64_t id, std::uint64_t bytes_max, std::string& bytes);
  // The same of a row that goes on with `size` and `first_piece`.
  Result<std::uint64_t> take(RowReader& row, std::int64_t id, std::uint64_t bytes_max, std::string& bytes);
  // Recomputes the digests of all bodies.
  static Result<void> check_digests(Database& database);

 private:
  BodyReader(std::string name, Statement find, Statement find_size, Statement pieces, Statement piece);
  // Gives the body's size, and in `bytes` its first piece unless the whole has more than `bytes_max`.
  Result<std::uint64_t> load_first_piece(std::int64_t id, std::uint64_t bytes_max, std::string& bytes);
  Result<std::uint64_t> take_first_piece(RowReader& row, std::int64_t id, std::uint64_t bytes_max, std::string& bytes);
  Result<std::uint64_t> load_further_pieces(std::int64_t id, std::uint64_t size, std::string& bytes);
  Failure damaged(std::int64_t id, std::string_view what) const;
  std::string name_;
  Statement find_, find_size_, pieces_, piece_;
};

}  // namespace tapedeck
