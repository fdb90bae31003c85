#include "storage/cassette/bodies.hpp"

#include <algorithm>

#include <openssl/sha.h>

#include "storage/cassette/failures.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/cassette/sha256.hpp"

namespace tapedeck {

BodyWriter::BodyWriter(Database& database, Statement find, Statement insert_body, Statement insert_piece)
    : database_(&database),
      find_(std::move(find)),
      insert_body_(std::move(insert_body)),
      insert_piece_(std::move(insert_piece)) {
}

Result<std::unique_ptr<BodyWriter>> BodyWriter::prepare(Database& database) {
  auto find = database.prepare("SELECT id FROM bodies WHERE digest = ?");
  if (!find) return find.error();
  auto insert_body = database.prepare("INSERT INTO bodies(digest, size, first_piece) VALUES (?, ?, ?)");
  if (!insert_body) return insert_body.error();
  auto insert_piece = database.prepare("INSERT INTO body_pieces(body, n, bytes) VALUES (?, ?, ?)");
  if (!insert_piece) return insert_piece.error();
  return std::unique_ptr<BodyWriter>(
      new BodyWriter(database, std::move(*find), std::move(*insert_body), std::move(*insert_piece)));
}

Result<std::int64_t> BodyWriter::keep(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const auto digest = sha256(bytes);
  auto found = find(digest);
  if (!found || *found != 0) return found;

  const auto size = static_cast<std::int64_t>(bytes.size());
  insert_body_.bind_blob(digest).bind(size).bind_blob(bytes.substr(0, body_piece_bytes));
  if (auto inserted = insert_body_.run_changing(1); !inserted) return inserted.error();
  const auto id = database_->last_inserted_id();
  for (std::size_t at = body_piece_bytes; at < bytes.size(); at += body_piece_bytes) {
    insert_piece_.bind(id).bind(static_cast<std::int64_t>(at / body_piece_bytes));
    auto inserted = insert_piece_.bind_blob(bytes.substr(at, body_piece_bytes)).run_changing(1);
    if (!inserted) return inserted.error();
  }
  return id;
}

BodyReader::BodyReader(std::string name, Statement find, Statement find_size, Statement pieces, Statement piece)
    : name_(std::move(name)),
      find_(std::move(find)),
      find_size_(std::move(find_size)),
      pieces_(std::move(pieces)),
      piece_(std::move(piece)) {
}

Result<std::unique_ptr<BodyReader>> BodyReader::prepare(Database& database) {
  auto find = database.prepare("SELECT size, first_piece FROM bodies WHERE id = ?");
  if (!find) return find.error();
  auto find_size = database.prepare("SELECT size FROM bodies WHERE id = ?");
  if (!find_size) return find_size.error();
  auto pieces = database.prepare("SELECT n, bytes FROM body_pieces WHERE body = ? ORDER BY n");
  if (!pieces) return pieces.error();
  auto piece = database.prepare("SELECT bytes FROM body_pieces WHERE body = ? AND n = ?");
  if (!piece) return piece.error();
  return std::unique_ptr<BodyReader>(
      new BodyReader(database.name(), std::move(*find), std::move(*find_size), std::move(*pieces), std::move(*piece)));
}

Result<std::uint64_t> BodyReader::size_of(std::int64_t id) {
  const StatementReset size_reset(find_size_);
  auto found = find_size_.bind(id).step();
  if (!found) return found.error();
  if (!*found) return damaged(id, "is missing");
  RowReader row(find_size_);
  const auto size = static_cast<std::uint64_t>(row.integer(1, body_bytes_max_stored));
  if (!row.ok()) return damaged(id, "has a wrong " + row.problem());
  return size;
}

Result<std::uint64_t> BodyReader::load(std::int64_t id, std::uint64_t bytes_max, std::string& bytes) {
  // A first piece is up to 64 KiB; only who takes that much asks for it along with the size.
  if (bytes_max < body_piece_bytes) {
    auto size = size_of(id);
    if (!size || *size > bytes_max) return size;
  }
  auto size = load_first_piece(id, bytes_max, bytes);
  if (!size || *size > bytes_max) return size;
  return load_further_pieces(id, *size, bytes);
}

Result<std::uint64_t> BodyReader::take(RowReader& row, std::int64_t id, std::uint64_t bytes_max, std::string& bytes) {
  if (row.next_is_null()) return damaged(id, "is missing");
  auto size = take_first_piece(row, id, bytes_max, bytes);
  if (!size || *size > bytes_max) return size;
  return load_further_pieces(id, *size, bytes);
}

Result<std::uint64_t> BodyReader::load_first_piece(std::int64_t id, std::uint64_t bytes_max, std::string& bytes) {
  const StatementReset find_reset(find_);
  auto found = find_.bind(id).step();
  if (!found) return found.error();
  if (!*found) return damaged(id, "is missing");
  RowReader row(find_);
  return take_first_piece(row, id, bytes_max, bytes);
}

Result<std::uint64_t> BodyReader::take_first_piece(RowReader& row, std::int64_t id, std::uint64_t bytes_max,
                                                   std::string& bytes) {
  const auto size = static_cast<std::uint64_t>(row.integer(1, body_bytes_max_stored));
  const auto first = row.blob(body_piece_bytes);
  if (!row.ok()) return damaged(id, "has a wrong " + row.problem());
  if (first.size() != std::min<std::uint64_t>(size, body_piece_bytes)) return damaged(id, "has a wrong first piece");
  if (size <= bytes_max) bytes.assign(first);
  return size;
}

Result<std::uint64_t> BodyReader::load_further_pieces(std::int64_t id, std::uint64_t size, std::string& bytes) {
  if (bytes.size() == size) return size;
  const StatementReset pieces_reset(pieces_);
  pieces_.bind(id);
  for (std::int64_t n = 1; bytes.size() < size; ++n) {
    auto found = pieces_.step();
    if (!found) return found.error();
    if (!*found) return damaged(id, "lacks its piece " + std::to_string(n));
    RowReader row(pieces_);
    const auto stored_n = row.integer();
    const auto piece = row.blob(body_piece_bytes);
    const auto expected = std::min<std::uint64_t>(size - bytes.size(), body_piece_bytes);
    if (!row.ok() || stored_n != n || piece.size() != expected) {
      return damaged(id, "has a wrong piece " + std::to_string(n));
    }
    bytes += piece;
  }
  return size;
}

Result<void> BodyReader::load_piece(std::int64_t id, std::uint64_t size, std::uint64_t n, std::string& bytes) {
  bytes.clear();
  if (n > (size - 1) / body_piece_bytes) return {};
  if (n == 0) {
    auto stored_size = load_first_piece(id, size, bytes);
    if (!stored_size) return stored_size.error();
    return *stored_size == size ? Result<void>() : damaged(id, "has another size by now");
  }
  const StatementReset piece_reset(piece_);
  auto found = piece_.bind(id).bind(static_cast<std::int64_t>(n)).step();
  if (!found) return found.error();
  if (!*found) return damaged(id, "lacks its piece " + std::to_string(n));
  RowReader row(piece_);
  const auto piece = row.blob(body_piece_bytes);
  const auto expected = std::min<std::uint64_t>(size - n * body_piece_bytes, body_piece_bytes);
  if (!row.ok() || piece.size() != expected) return damaged(id, "has a wrong piece " + std::to_string(n));
  bytes.assign(piece);
  return {};
}

Failure BodyReader::damaged(std::int64_t id, std::string_view what) const {
  return cassette_corrupt(name_, "body " + std::to_string(id) + " " + std::string(what));
}

Result<void> BodyReader::check_digests(Database& database) {
  auto reader = prepare(database);
  if (!reader) return reader.error();
  auto all = database.prepare("SELECT id, digest FROM bodies");
  if (!all) return all.error();
  std::string piece;
  while (true) {
    auto found = all->step();
    if (!found) return found.error();
    if (!*found) return {};
    RowReader row(*all);
    const auto id = row.integer();
    const auto digest = row.optional_blob_of_size(SHA256_DIGEST_LENGTH);
    if (!row.ok()) return (*reader)->damaged(id, "has a wrong " + row.problem());
    auto size = (*reader)->size_of(id);
    if (!size) return size.error();
    Sha256 computed;
    for (std::uint64_t n = 0; n <= (*size - 1) / body_piece_bytes; ++n) {
      if (auto loaded = (*reader)->load_piece(id, *size, n, piece); !loaded) return loaded;
      computed.add(piece);
    }
    if (digest && *digest != computed.finish()) return (*reader)->damaged(id, "is not what its digest says");
  }
}

}  // namespace tapedeck
