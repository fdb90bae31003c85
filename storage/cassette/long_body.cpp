#include "storage/cassette/long_body.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "storage/cassette/schema.hpp"

namespace tapedeck {

LongBodyWriter::LongBodyWriter(Database& database, Statement insert, Statement insert_piece, Statement set_size,
                               Statement set_digest, Statement remove_pieces, Statement remove)
    : database_(&database),
      insert_(std::move(insert)),
      insert_piece_(std::move(insert_piece)),
      set_size_(std::move(set_size)),
      set_digest_(std::move(set_digest)),
      remove_pieces_(std::move(remove_pieces)),
      remove_(std::move(remove)) {
}

Result<std::unique_ptr<LongBodyWriter>> LongBodyWriter::prepare(Database& database) {
  constexpr std::array<std::string_view, 6> sqls{
      "INSERT INTO bodies(digest, size, first_piece) VALUES (NULL, ?, ?)",
      "INSERT INTO body_pieces(body, n, bytes) VALUES (?, ?, ?)",
      "UPDATE bodies SET size = ? WHERE id = ?",
      "UPDATE bodies SET digest = ? WHERE id = ?",
      "DELETE FROM body_pieces WHERE body = ?",
      "DELETE FROM bodies WHERE id = ?",
  };
  std::vector<Statement> prepared;
  for (const auto sql : sqls) {
    auto statement = database.prepare(sql);
    if (!statement) return statement.error();
    prepared.push_back(std::move(*statement));
  }
  return std::unique_ptr<LongBodyWriter>(new LongBodyWriter(database, std::move(prepared[0]), std::move(prepared[1]),
                                                            std::move(prepared[2]), std::move(prepared[3]),
                                                            std::move(prepared[4]), std::move(prepared[5])));
}

Result<void> LongBodyWriter::append(LongBody& body, std::string_view bytes) {
  body.digest.add(bytes);
  const auto kept_before = body.kept;
  if (!body.rest.empty()) {
    const auto taken = std::min(body_piece_bytes - body.rest.size(), bytes.size());
    body.rest += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (body.rest.size() < body_piece_bytes) return {};
    if (auto kept = keep_piece(body, body.rest); !kept) return kept;
    body.rest.clear();
  }
  for (; bytes.size() >= body_piece_bytes; bytes.remove_prefix(body_piece_bytes)) {
    if (auto kept = keep_piece(body, bytes.substr(0, body_piece_bytes)); !kept) return kept;
  }
  body.rest = bytes;
  const auto size_in_row = kept_before == 0 ? std::min<std::uint64_t>(body.kept, body_piece_bytes) : kept_before;
  if (body.kept == size_in_row) return {};
  return set_size_.bind(static_cast<std::int64_t>(body.kept)).bind(body.id).run_changing(1);
}

// The caller brings the row's size up to date, except that of the first piece.
Result<void> LongBodyWriter::keep_piece(LongBody& body, std::string_view piece) {
  if (body.id == 0) {
    insert_.bind(static_cast<std::int64_t>(piece.size())).bind_blob(piece);
    if (auto inserted = insert_.run_changing(1); !inserted) return inserted;
    body.id = database_->last_inserted_id();
  } else {
    insert_piece_.bind(body.id).bind(static_cast<std::int64_t>(body.kept / body_piece_bytes)).bind_blob(piece);
    if (auto inserted = insert_piece_.run_changing(1); !inserted) return inserted;
  }
  body.kept += piece.size();
  return {};
}

Result<std::int64_t> LongBodyWriter::finish(LongBody& body, BodyWriter& bodies) {
  if (body.id == 0) return bodies.keep(body.rest);
  if (!body.rest.empty()) {
    if (auto kept = keep_piece(body, body.rest); !kept) return kept.error();
    auto sized = set_size_.bind(static_cast<std::int64_t>(body.kept)).bind(body.id).run_changing(1);
    if (!sized) return sized.error();
  }
  const auto digest = body.digest.finish();
  auto same = bodies.find(digest);
  if (!same) return same;
  if (*same != 0) {
    if (auto removed = remove(body); !removed) return removed.error();
    return same;
  }
  if (auto set = set_digest_.bind_blob(digest).bind(body.id).run_changing(1); !set) return set.error();
  return body.id;
}

Result<void> LongBodyWriter::remove(LongBody& body) {
  if (body.id == 0) return {};
  if (auto removed = remove_pieces_.bind(body.id).run(); !removed) return removed;
  return remove_.bind(body.id).run_changing(1);
}

}  // namespace tapedeck
