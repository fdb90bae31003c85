#include "storage/cassette/cassette_reader.hpp"

#include <sys/stat.h>
#include <utility>

#include "storage/cassette/bodies.hpp"
#include "storage/cassette/cassette_lock.hpp"
#include "storage/cassette/exchange_rows.hpp"
#include "storage/cassette/failures.hpp"
#include "storage/cassette/files.hpp"
#include "storage/cassette/readable_cassette.hpp"
#include "storage/cassette/sqlite/statement.hpp"
#include "storage/cassette/words.hpp"

namespace tapedeck {

namespace {

// Far above what a body can arrive in; what lies beyond is left unread.
constexpr std::int64_t events_max = 1'000'000;

// The inner pages of a million exchanges and of their bodies take some 6 MB, and as many leaves come between two uses
// of one. In SQLite's own 2 MB they would push each other out, and a load would read them anew.
constexpr std::string_view set_page_cache = "PRAGMA cache_size = -16384";  // in KiB

Result<Take> read_take(const Statement& select, const std::string& name) {
  RowReader row(select);
  Take take;
  take.ordinal = row.integer(1);
  const auto uuid = row.blob_of_size(16);
  const auto kind = value_of(take_kind_words, row.text(word_bytes_max));
  if (!kind) row.reject();
  const auto state = value_of(take_state_words, row.text(word_bytes_max));
  if (!state) row.reject();
  take.parent_ordinal = row.optional_integer(1).value_or(0);
  take.started_at_us = row.integer(0, time_us_max);
  take.ended_at_us = row.optional_integer(0, time_us_max).value_or(0);
  take.tool_version = row.text(word_bytes_max);
  take.exchange_count = static_cast<std::uint64_t>(row.integer());
  if (!row.ok()) return cassette_corrupt(name, "a take has a wrong " + row.problem());
  take.uuid = uuid_text(uuid);
  take.kind = *kind;
  take.state = *state;
  return take;
}

}  // namespace

// Statements refer to the database and are declared after it.
struct CassetteReader::State {
  std::filesystem::path file;
  std::string uuid;
  ReadableCassette cassette;
  std::unique_ptr<BodyReader> bodies;
  std::unique_ptr<Statement> select_one;
  std::unique_ptr<Statement> select_answer;
  std::unique_ptr<Statement> select_events;
  std::unique_ptr<Statement> begin;
  std::unique_ptr<Statement> commit;
  bool holds = false;
  int visits = 0;  // how many operations are under way: a visitor may load

  // What is still open will never be finished. The next writer says so in the file; a reader only tells.
  bool is_abandoned() const { return !cassette.writer_at_work; }
  Result<void> enter();
  void leave();
  Result<void> connect();
  void disconnect();
  Result<void> end_transaction();
  Result<void> find(Statement& select, std::int64_t id);
  Failure of_newer_kind(std::int64_t id) const;
  void take_place(const ExchangePlace& place, StoredExchange& stored) const;
  Result<void> load_answer(std::int64_t id, std::uint64_t body_bytes_max, StoredExchange& answer);
  Result<StoredExchange> complete(ExchangeRow&& row, const ReadParts& parts);
  Result<void> load_events(std::int64_t id, std::vector<ExchangeEvent>& events);
};

// One use of the connection.
class CassetteReader::Visit {
 public:
  explicit Visit(State& state) : state_(state), connected_(state.enter()) {}
  ~Visit() { state_.leave(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  const Result<void>& connected() const { return connected_; }

 private:
  State& state_;
  Result<void> connected_;
};

Result<void> CassetteReader::State::enter() {
  ++visits;
  return connect();
}

// While somebody records, the connection ends with the last use of it, because the writer could not close the cassette
// otherwise.
void CassetteReader::State::leave() {
  if (--visits > 0 || !cassette.database || cassette.is_copy) return;
  if (has_wal(file)) disconnect();
}

Result<void> CassetteReader::State::connect() {
  if (cassette.database) return {};
  auto opened = ReadableCassette::open(file);
  if (!opened) return opened.error();
  if (!uuid.empty() && opened->meta.uuid != uuid) {
    return Failure{"cassette-foreign", Blame::cassette,
                   file.string() + " was replaced by another cassette while it was in use; start again"};
  }
  uuid = opened->meta.uuid;
  Database& database = *opened->database;
  if (auto set = database.execute(std::string(set_page_cache)); !set) return set.error();
  auto body_reader = BodyReader::prepare(database);
  if (!body_reader) return body_reader.error();
  auto one = database.prepare("SELECT " + std::string(exchange_columns()) + " FROM exchanges WHERE id = ?");
  if (!one) return one.error();
  auto answer = database.prepare("SELECT " + std::string(answer_columns()) +
                                 ", size, first_piece FROM exchanges LEFT JOIN bodies ON bodies.id = response_body "
                                 "WHERE exchanges.id = ?");
  if (!answer) return answer.error();
  auto events = database.prepare(
      "SELECT direction, kind, time_us, offset, length FROM events WHERE exchange = ? ORDER BY n LIMIT ?");
  if (!events) return events.error();
  auto begin_reading = database.prepare("BEGIN");
  if (!begin_reading) return begin_reading.error();
  auto commit_reading = database.prepare("COMMIT");
  if (!commit_reading) return commit_reading.error();
  bodies = std::move(*body_reader);
  select_one = std::make_unique<Statement>(std::move(*one));
  select_answer = std::make_unique<Statement>(std::move(*answer));
  select_events = std::make_unique<Statement>(std::move(*events));
  begin = std::make_unique<Statement>(std::move(*begin_reading));
  commit = std::make_unique<Statement>(std::move(*commit_reading));
  cassette = std::move(*opened);
  return {};
}

void CassetteReader::State::disconnect() {
  commit.reset();
  begin.reset();
  select_events.reset();
  select_answer.reset();
  select_one.reset();
  bodies.reset();
  cassette.database.reset();
}

Result<void> CassetteReader::State::load_events(std::int64_t id, std::vector<ExchangeEvent>& events) {
  const StatementReset events_reset(*select_events);
  select_events->bind(id).bind(events_max);
  while (true) {
    auto found = select_events->step();
    if (!found) return found.error();
    if (!*found) return {};
    RowReader row(*select_events);
    ExchangeEvent event;
    event.direction = static_cast<Direction>(row.integer(0, 1));
    const auto kind = row.integer();
    event.time_us = row.integer(0, time_us_max);
    event.offset = static_cast<std::uint64_t>(row.integer());
    event.length = static_cast<std::uint64_t>(row.integer());
    if (!row.ok()) {
      return cassette_corrupt(file.string(),
                              "an event of exchange " + std::to_string(id) + " has a wrong " + row.problem());
    }
    if (kind != static_cast<std::int64_t>(ExchangeEvent::Kind::body_chunk)) continue;
    events.push_back(event);
  }
}

void CassetteReader::State::take_place(const ExchangePlace& place, StoredExchange& stored) const {
  stored.id = place.id;
  stored.request_body.id = place.request_body;
  stored.response_body.id = place.response_body;
  if (is_abandoned() && stored.exchange.state == ExchangeState::open) stored.exchange.state = ExchangeState::cut;
}

Result<StoredExchange> CassetteReader::State::complete(ExchangeRow&& row, const ReadParts& parts) {
  StoredExchange stored;
  stored.exchange = std::move(row.exchange);
  take_place(row.place, stored);
  stored.uuid = uuid_text(uuid_bytes(row.place.uuid));
  stored.take_ordinal = row.place.take_ordinal;
  if (parts.request_bodies && stored.request_body.id != 0) {
    auto size = bodies->load(stored.request_body.id, parts.body_bytes_max, stored.exchange.request.body.bytes);
    if (!size) return size.error();
    stored.request_body.size = *size;
  }
  if (parts.response_bodies && stored.response_body.id != 0 && stored.exchange.response) {
    auto size = bodies->load(stored.response_body.id, parts.body_bytes_max, stored.exchange.response->body.bytes);
    if (!size) return size.error();
    stored.response_body.size = *size;
  }
  if (parts.events) {
    if (auto loaded = load_events(stored.id, stored.exchange.events); !loaded) return loaded.error();
  }
  return stored;
}

CassetteReader::CassetteReader(std::unique_ptr<State> state) : state_(std::move(state)) {
}
CassetteReader::~CassetteReader() = default;

Result<std::unique_ptr<CassetteReader>> CassetteReader::open(const std::filesystem::path& file) {
  auto state = std::make_unique<State>();
  state->file = real_path(file);
  {
    const Visit visit(*state);
    if (!visit.connected()) return visit.connected().error();
  }
  return std::unique_ptr<CassetteReader>(new CassetteReader(std::move(state)));
}

const std::string& CassetteReader::uuid() const {
  return state_->uuid;
}

Result<std::optional<CassetteStamp>> CassetteReader::stamp() {
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  const auto& cassette = state_->cassette;
  struct stat status {};
  const bool is_moving = cassette.is_copy || cassette.writer_at_work || has_wal(state_->file) ||
                         has_hot_journal(state_->file) || probe_writer(state_->file).writer_at_work;
  if (is_moving || ::stat(state_->file.c_str(), &status) != 0) return std::optional<CassetteStamp>();
  auto header = cassette.database->read_header();
  if (!header) return header.error();
  // The name may lead to another file by now.
  if (static_cast<std::uint64_t>(status.st_size) != header->file_size) return std::optional<CassetteStamp>();
  CassetteStamp stamp;
  stamp.uuid = state_->uuid;
  stamp.file_bytes = header->file_size;
  stamp.modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  stamp.change_counter = header->change_counter;
  return std::optional(std::move(stamp));
}

Result<std::vector<Take>> CassetteReader::takes() {
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  auto select = state_->cassette.database->prepare(
      "SELECT ordinal, uuid, kind, state, parent, started_at_us, ended_at_us, tool_version,"
      " (SELECT count(*) FROM exchanges WHERE take = ordinal) FROM takes ORDER BY ordinal");
  if (!select) return select.error();
  std::vector<Take> takes;
  while (true) {
    auto found = select->step();
    if (!found) return found.error();
    if (!*found) return takes;
    auto take = read_take(*select, state_->file.string());
    if (!take) return take.error();
    if (state_->is_abandoned() && take->state == TakeState::open) take->state = TakeState::interrupted;
    takes.push_back(std::move(*take));
  }
}

Result<void> CassetteReader::hold() {
  if (state_->holds) return {};
  auto ready = state_->enter();
  if (ready) ready = state_->begin->run();
  state_->holds = ready.has_value();
  if (!ready) state_->leave();
  return ready;
}

void CassetteReader::release() {
  if (!std::exchange(state_->holds, false)) return;
  if (!state_->end_transaction()) state_->disconnect();
  state_->leave();
}

// SQLite may have ended it by itself, after a failure.
Result<void> CassetteReader::State::end_transaction() {
  return cassette.database->in_transaction() ? commit->run() : Result<void>();
}

// Steps `select` to the row of an exchange, which stays until it is reset.
Result<void> CassetteReader::State::find(Statement& select, std::int64_t id) {
  auto found = select.bind(id).step();
  if (!found) return found.error();
  if (*found) return {};
  return cassette_corrupt(file.string(), "it has no exchange " + std::to_string(id));
}

Failure CassetteReader::State::of_newer_kind(std::int64_t id) const {
  return {"cassette-newer", Blame::cassette,
          "exchange " + std::to_string(id) + " of " + file.string() +
              " is of a kind that only a newer tapedeck knows; install one"};
}

Result<StoredExchange> CassetteReader::load(std::int64_t id, const ReadParts& parts) {
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  Statement& select = *state_->select_one;
  const StatementReset select_reset(select);
  if (auto found = state_->find(select, id); !found) return found.error();
  auto row = read_exchange(select, state_->file.string());
  if (!row) return row.error();
  if (!row->known_kind) return state_->of_newer_kind(id);
  return state_->complete(std::move(*row), parts);
}

// What was recorded or finished after a hold began is in the newest state alone.
Result<void> CassetteReader::load_answer(std::int64_t id, std::uint64_t body_bytes_max, StoredExchange& answer) {
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  auto loaded = state_->load_answer(id, body_bytes_max, answer);
  const bool may_be_outdated = !loaded || answer.exchange.state == ExchangeState::open;
  if (!state_->holds || !may_be_outdated) return loaded;
  if (auto ended = state_->end_transaction(); !ended) return ended;
  if (auto begun = state_->begin->run(); !begun) return begun;
  answer = {};
  return state_->load_answer(id, body_bytes_max, answer);
}

Result<void> CassetteReader::State::load_answer(std::int64_t id, std::uint64_t body_bytes_max, StoredExchange& answer) {
  Statement& select = *select_answer;
  const StatementReset select_reset(select);
  if (auto found = find(select, id); !found) return found.error();
  RowReader row(select);
  ExchangePlace place;
  auto known_kind = read_answer(row, file.string(), place, answer.exchange);
  if (!known_kind) return known_kind.error();
  if (!*known_kind) return of_newer_kind(id);
  take_place(place, answer);
  if (place.response_body == 0) return {};
  auto size = bodies->take(row, place.response_body, body_bytes_max, answer.exchange.response->body.bytes);
  if (!size) return size.error();
  answer.response_body.size = *size;
  return {};
}

Result<void> CassetteReader::for_each(const ReadParts& parts, const std::function<bool(StoredExchange&&)>& visitor) {
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  auto select = state_->cassette.database->prepare("SELECT " + std::string(exchange_columns()) +
                                                   " FROM exchanges ORDER BY take, finished_number, id");
  if (!select) return select.error();
  while (true) {
    auto found = select->step();
    if (!found) return found.error();
    if (!*found) return {};
    auto row = read_exchange(*select, state_->file.string());
    if (!row) return row.error();
    if (!row->known_kind) continue;
    auto stored = state_->complete(std::move(*row), parts);
    if (!stored) return stored.error();
    if (!visitor(std::move(*stored))) return {};
  }
}

Result<void> CassetteReader::load_piece(const StoredBody& body, std::uint64_t n, std::string& bytes) {
  bytes.clear();
  if (body.size == 0) return {};
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  return state_->bodies->load_piece(body.id, body.size, n, bytes);
}

Result<void> CassetteReader::for_each_piece(const StoredBody& body,
                                            const std::function<bool(std::string_view)>& visitor) {
  const Visit visit(*state_);
  std::string piece;
  for (std::uint64_t n = 0;; ++n) {
    if (auto loaded = load_piece(body, n, piece); !loaded) return loaded;
    if (piece.empty() || !visitor(piece)) return {};
  }
}

Result<void> CassetteReader::check_integrity() {
  const Visit visit(*state_);
  if (!visit.connected()) return visit.connected().error();
  Database& database = *state_->cassette.database;
  for (const std::string_view pragma : {"PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"}) {
    auto check = database.prepare(pragma);
    if (!check) return check.error();
    auto found = check->step();
    if (!found) return found.error();
    const bool is_fine = !*found || RowReader(*check).text(name_bytes_max) == "ok";
    if (!is_fine) return cassette_corrupt(state_->file.string(), std::string(pragma) + " finds faults");
  }
  return BodyReader::check_digests(database);
}

}  // namespace tapedeck
