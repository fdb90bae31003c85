#include "storage/cassette/cassette_writer.hpp"

#include <cassert>

#include <sqlite3.h>

#include "storage/cassette/bodies.hpp"
#include "storage/cassette/exchange_rows.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/cassette/sqlite/statement.hpp"
#include "storage/cassette/words.hpp"
#include "storage/cassette/writable_cassette.hpp"

namespace tapedeck {

namespace {

constexpr std::int64_t checkpoint_pages = 4096;  // 16 MiB of 4 KiB pages
constexpr std::int64_t id_max = std::int64_t{1} << 53;

Failure unfit(const std::string& name, std::string_view part) {
  return {"cassette-write-failed", Blame::us,
          "an exchange does not fit into " + name + ": its " + std::string(part) +
              " is too large or malformed; leave its host out with --host or --profile"};
}

}  // namespace

// Statements refer to the database and are declared after it.
struct CassetteWriter::State {
  WriterOptions options;
  std::unique_ptr<WritableCassette> cassette;
  std::unique_ptr<BodyWriter> bodies;
  std::unique_ptr<Statement> insert_exchange;
  std::unique_ptr<Statement> insert_event;
  std::uint64_t takes_before = 0;
  std::int64_t take_ordinal = 0;  // 0: none begun
  std::int64_t next_id = 0;

  Database& database() { return cassette->database(); }
  Result<void> mark_interrupted();
  Result<void> prepare();
  void release_statements();
  Result<void> insert(const Exchange& exchange, std::int64_t id);
  Result<void> insert_events(const Exchange& exchange, std::int64_t id);
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
  auto body_writer = BodyWriter::prepare(database());
  if (!body_writer) return body_writer.error();
  bodies = std::move(*body_writer);
  auto exchange = database().prepare(insert_exchange_sql());
  if (!exchange) return exchange.error();
  insert_exchange = std::make_unique<Statement>(std::move(*exchange));
  auto event = database().prepare(
      "INSERT INTO events(exchange, n, direction, kind, time_us, offset, length, data)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, NULL)");
  if (!event) return event.error();
  insert_event = std::make_unique<Statement>(std::move(*event));
  auto takes = database().query_integer("SELECT count(*) FROM takes");
  if (!takes) return takes.error();
  takes_before = static_cast<std::uint64_t>(*takes);
  auto last_id = database().query_integer("SELECT max(id) FROM exchanges");
  if (!last_id) return last_id.error();
  if (*last_id < 0 || *last_id > id_max) return database().failure(SQLITE_CORRUPT);
  next_id = *last_id + 1;
  return {};
}

void CassetteWriter::State::release_statements() {
  insert_event.reset();
  insert_exchange.reset();
  bodies.reset();
}

Result<void> CassetteWriter::State::insert(const Exchange& exchange, std::int64_t id) {
  if (const auto part = unfit_part(exchange)) return unfit(database().name(), *part);
  ExchangePlace place;
  place.id = id;
  place.take_ordinal = take_ordinal;
  place.uuid = uuid_from_random(options.environment.random_bytes());
  auto request_body = bodies->keep(exchange.request.body.bytes);
  if (!request_body) return request_body.error();
  place.request_body = *request_body;
  if (exchange.response) {
    auto response_body = bodies->keep(exchange.response->body.bytes);
    if (!response_body) return response_body.error();
    place.response_body = *response_body;
  }
  if (auto inserted = tapedeck::insert_exchange(*insert_exchange, place, exchange); !inserted) return inserted;
  return insert_events(exchange, id);
}

Result<void> CassetteWriter::State::insert_events(const Exchange& exchange, std::int64_t id) {
  std::int64_t n = 0;
  for (const auto& event : exchange.events) {
    insert_event->bind(id)
        .bind(++n)
        .bind(static_cast<std::int64_t>(event.direction))
        .bind(static_cast<std::int64_t>(event.kind))
        .bind(event.time_us)
        .bind(static_cast<std::int64_t>(event.offset))
        .bind(static_cast<std::int64_t>(event.length));
    if (auto inserted = insert_event->run_changing(1); !inserted) return inserted;
  }
  return {};
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

std::uint64_t CassetteWriter::take_count() const {
  return state_->takes_before;
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

  if (state_->options.rules_snapshot.size() > rules_bytes_max) return unfit(state_->database().name(), "list of rules");
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

Result<std::int64_t> CassetteWriter::append(const std::vector<const RedactedExchange*>& exchanges) {
  assert(state_->take_ordinal != 0);
  const auto first_id = state_->next_id;
  auto transaction = Transaction::begin(state_->database());
  if (!transaction) return transaction.error();
  auto id = first_id;
  for (const auto* redacted : exchanges) {
    if (auto inserted = state_->insert(redacted->exchange(), id++); !inserted) return inserted.error();
  }
  if (auto committed = transaction->commit(); !committed) return committed.error();
  state_->next_id = id;
  return first_id;
}

void CassetteWriter::checkpoint_if_large() {
  if (state_->cassette->wal_pages() < checkpoint_pages) return;
  (void)sqlite3_wal_checkpoint_v2(state_->database().handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

Result<void> CassetteWriter::end_take(TakeState state) {
  assert(state_->take_ordinal != 0);
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
