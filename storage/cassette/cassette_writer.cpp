#include "storage/cassette/cassette_writer.hpp"

#include <cassert>

#include <sqlite3.h>

#include "storage/cassette/exchange_writer.hpp"
#include "storage/cassette/long_exchanges.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/cassette/sqlite/statement.hpp"
#include "storage/cassette/words.hpp"
#include "storage/cassette/writable_cassette.hpp"

namespace tapedeck {

namespace {

// 64 MiB of 4 KiB pages. The pages of the index of digests change with almost every body; the fewer checkpoints, the
// seldomer they are copied.
constexpr std::int64_t checkpoint_pages = 16 * 1024;
constexpr std::int64_t id_max = std::int64_t{1} << 53;

}  // namespace

// Statements refer to the database and are declared after it.
struct CassetteWriter::State {
  WriterOptions options;
  std::unique_ptr<WritableCassette> cassette;
  std::unique_ptr<ExchangeWriter> exchanges;
  std::unique_ptr<LongExchanges> long_exchanges;
  std::int64_t take_ordinal = 0;  // 0: none begun
  std::int64_t next_id = 0;

  Database& database() { return cassette->database(); }
  Result<void> mark_interrupted();
  Result<void> prepare();
  void release_statements();
  ExchangePlace place_of(std::int64_t id) const;
  Result<std::int64_t> keep(const RecordingStep& step, std::int64_t& next_new_id);
};

// What a crashed run left open. Its last moment is unknown, so no end is made up for it.
Result<void> CassetteWriter::State::mark_interrupted() {
  auto open_takes = database().query_integer("SELECT count(*) FROM takes WHERE state = 'open'");
  if (!open_takes) return open_takes.error();
  if (*open_takes == 0) return {};
  auto transaction = Transaction::begin(database());
  if (!transaction) return transaction.error();
  auto marked = database().execute(
      "UPDATE exchanges SET state = 'cut'"
      " WHERE take IN (SELECT ordinal FROM takes WHERE state = 'open') AND state = 'open';"
      "UPDATE takes SET state = 'interrupted' WHERE state = 'open'");
  if (!marked) return marked;
  return transaction->commit();
}

Result<void> CassetteWriter::State::prepare() {
  auto exchange_writer = ExchangeWriter::prepare(database());
  if (!exchange_writer) return exchange_writer.error();
  exchanges = std::move(*exchange_writer);
  auto long_writer = LongExchanges::prepare(database());
  if (!long_writer) return long_writer.error();
  long_exchanges = std::move(*long_writer);
  auto last_id = database().query_integer("SELECT max(id) FROM exchanges");
  if (!last_id) return last_id.error();
  if (*last_id < 0 || *last_id > id_max) return database().failure(SQLITE_CORRUPT);
  next_id = *last_id + 1;
  return {};
}

void CassetteWriter::State::release_statements() {
  long_exchanges.reset();
  exchanges.reset();
}

ExchangePlace CassetteWriter::State::place_of(std::int64_t id) const {
  ExchangePlace place;
  place.id = id;
  place.take_ordinal = take_ordinal;
  place.uuid = uuid_from_random(options.environment.random_bytes());
  return place;
}

// The id of the exchange that the step is about; a new one is `next_new_id`.
Result<std::int64_t> CassetteWriter::State::keep(const RecordingStep& step, std::int64_t& next_new_id) {
  if (const auto* whole = std::get_if<RedactedExchange>(&step)) {
    if (auto inserted = exchanges->insert(whole->exchange(), place_of(next_new_id)); !inserted) return inserted.error();
    return next_new_id++;
  }
  if (const auto* heads = std::get_if<LongHeads>(&step)) {
    const auto known = long_exchanges->row_of(heads->id);
    const auto id = known ? *known : next_new_id++;
    if (auto kept = long_exchanges->keep_heads(*heads, place_of(id), *exchanges); !kept) return kept.error();
    return id;
  }
  if (const auto* piece = std::get_if<LongPiece>(&step)) {
    if (auto kept = long_exchanges->keep_piece(*piece); !kept) return kept.error();
    return long_exchanges->row_of(piece->id).value_or(0);
  }
  const auto& end = std::get<LongEnd>(step);
  const auto id = long_exchanges->row_of(end.id).value_or(0);
  if (auto ended = long_exchanges->end(end, *exchanges); !ended) return ended.error();
  return id;
}

CassetteWriter::CassetteWriter(std::unique_ptr<State> state) : state_(std::move(state)) {
}
CassetteWriter::~CassetteWriter() = default;

Result<std::unique_ptr<CassetteWriter>> CassetteWriter::open(const std::filesystem::path& file,
                                                             const WriterOptions& options) {
  auto cassette = WritableCassette::open(file, options);
  if (!cassette) return cassette.error();
  auto state = std::make_unique<State>();
  state->options = options;
  state->cassette = std::move(*cassette);
  auto ready = state->mark_interrupted();
  if (ready) ready = state->prepare();
  if (!ready) {
    state->release_statements();
    state->cassette->give_up();
    return ready.error();
  }
  return std::unique_ptr<CassetteWriter>(new CassetteWriter(std::move(state)));
}

bool CassetteWriter::created() const {
  return state_->cassette->created();
}

Result<std::int64_t> CassetteWriter::begin_take(TakeKind kind) {
  assert(state_->take_ordinal == 0);
  const auto& environment = state_->options.environment;
  auto last = state_->database().query_integer("SELECT max(ordinal) FROM takes");
  if (!last) return last.error();
  if (*last < 0 || *last > id_max) return state_->database().failure(SQLITE_CORRUPT);
  auto parent = state_->database().query_integer("SELECT max(ordinal) FROM takes WHERE state = 'complete'");
  if (!parent) return parent.error();
  auto insert = state_->database().prepare(
      "INSERT INTO takes(ordinal, uuid, kind, state, parent, started_at_us, ended_at_us, tool_version, rules)"
      " VALUES (?, ?, ?, 'open', nullif(?, 0), ?, NULL, ?, ?)");
  if (!insert) return insert.error();

  if (state_->options.rules_snapshot.size() > rules_bytes_max)
    return unfit_for_cassette(state_->database().name(), "list of rules");
  const auto uuid = uuid_from_random(environment.random_bytes());
  insert->bind(*last + 1)
      .bind_blob(uuid_bytes(uuid))
      .bind_text(word_of(take_kind_words, kind))
      .bind(kind == TakeKind::extend ? *parent : 0)
      .bind(environment.now_us())
      .bind_text(environment.tool_version)
      .bind_text(state_->options.rules_snapshot);
  if (auto inserted = insert->run_changing(1); !inserted) return inserted.error();
  state_->take_ordinal = *last + 1;
  return state_->take_ordinal;
}

Result<std::vector<std::int64_t>> CassetteWriter::append(const std::vector<const RecordingStep*>& steps) {
  assert(state_->take_ordinal != 0);
  auto transaction = Transaction::begin(state_->database());
  if (!transaction) return transaction.error();
  std::vector<std::int64_t> ids;
  auto next_new_id = state_->next_id;
  std::optional<Failure> failure;
  for (const auto* step : steps) {
    auto kept = state_->keep(*step, next_new_id);
    if (!kept) {
      failure = kept.error();
      break;
    }
    ids.push_back(*kept);
  }
  if (!failure) {
    if (auto committed = transaction->commit(); !committed) failure = committed.error();
  }
  if (failure) {
    state_->long_exchanges->forget_all();
    return *failure;
  }
  state_->next_id = next_new_id;
  return ids;
}

void CassetteWriter::checkpoint_if_large() {
  if (state_->cassette->wal_pages() < checkpoint_pages) return;
  (void)sqlite3_wal_checkpoint_v2(state_->database().handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

Result<void> CassetteWriter::end_take(TakeState state) {
  assert(state_->take_ordinal != 0);
  // What did not come to its end is cut, whatever became of the take.
  auto cut = state_->database().prepare("UPDATE exchanges SET state = 'cut' WHERE take = ? AND state = 'open'");
  if (!cut) return cut.error();
  if (auto done = cut->bind(state_->take_ordinal).run(); !done) return done;
  auto update = state_->database().prepare("UPDATE takes SET state = ?, ended_at_us = ? WHERE ordinal = ?");
  if (!update) return update.error();
  update->bind_text(word_of(take_state_words, state))
      .bind(state_->options.environment.now_us())
      .bind(state_->take_ordinal);
  if (auto updated = update->run_changing(1); !updated) return updated;
  state_->take_ordinal = 0;
  return {};
}

Result<void> CassetteWriter::close() {
  state_->release_statements();
  return state_->cassette->close();
}

}  // namespace tapedeck
