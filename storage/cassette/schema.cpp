#include "storage/cassette/schema.hpp"

#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "storage/cassette/failures.hpp"
#include "storage/cassette/sqlite/statement.hpp"

namespace tapedeck {

namespace {

struct SchemaObject {
  std::string_view name;
  std::string_view sql;
};

// SQLite keeps these texts as they stand here, which is what check_schema compares.
constexpr std::array<SchemaObject, 7> format_1{{
    {"meta", R"(CREATE TABLE meta(
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID)"},
    {"takes", R"(CREATE TABLE takes(
  ordinal INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  parent INTEGER REFERENCES takes(ordinal),
  started_at_us INTEGER NOT NULL,
  ended_at_us INTEGER,
  tool_version TEXT NOT NULL,
  rules TEXT NOT NULL
) STRICT)"},
    {"bodies", R"(CREATE TABLE bodies(
  id INTEGER PRIMARY KEY,
  digest BLOB UNIQUE,
  size INTEGER NOT NULL,
  first_piece BLOB NOT NULL
) STRICT)"},
    {"body_pieces", R"(CREATE TABLE body_pieces(
  body INTEGER NOT NULL REFERENCES bodies(id),
  n INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (body, n)
) STRICT)"},
    {"exchanges", R"(CREATE TABLE exchanges(
  id INTEGER PRIMARY KEY,
  take INTEGER NOT NULL REFERENCES takes(ordinal),
  uuid BLOB NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  cut_by_client INTEGER NOT NULL,
  session TEXT NOT NULL,
  initiator TEXT NOT NULL,
  caused_by BLOB,
  way_in TEXT NOT NULL,
  client_protocol TEXT NOT NULL,
  upstream_protocol TEXT NOT NULL,
  started_number INTEGER NOT NULL,
  finished_number INTEGER NOT NULL,
  started_at_us INTEGER NOT NULL,
  request_sent_us INTEGER NOT NULL,
  first_byte_us INTEGER NOT NULL,
  finished_us INTEGER NOT NULL,
  scheme TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  method TEXT NOT NULL,
  target TEXT NOT NULL,
  request_headers BLOB NOT NULL,
  request_framing TEXT NOT NULL,
  request_body INTEGER REFERENCES bodies(id),
  request_body_form TEXT NOT NULL,
  request_trailers BLOB NOT NULL,
  status INTEGER,
  reason TEXT,
  response_headers BLOB,
  response_framing TEXT,
  response_body INTEGER REFERENCES bodies(id),
  response_body_form TEXT,
  response_trailers BLOB,
  interim_responses BLOB,
  failure_phase TEXT,
  failure_kind TEXT,
  failure_side TEXT,
  failure_code TEXT,
  failure_response_bytes INTEGER
) STRICT)"},
    {"exchanges_in_order", "CREATE INDEX exchanges_in_order ON exchanges(take, finished_number)"},
    {"events", R"(CREATE TABLE events(
  exchange INTEGER NOT NULL REFERENCES exchanges(id),
  n INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  data BLOB,
  PRIMARY KEY (exchange, n)
) STRICT, WITHOUT ROWID)"},
}};

// More objects than any format to come will have; a stranger's file may have millions.
constexpr int objects_max = 200;

Result<void> set_meta(Database& database, std::string_view key, std::string_view value) {
  auto statement = database.prepare("INSERT INTO meta(key, value) VALUES (?, ?)");
  if (!statement) return statement.error();
  return statement->bind_text(key).bind_text(value).run_changing(1);
}

Result<std::map<std::string, std::string>> read_meta(Database& database) {
  auto statement = database.prepare("SELECT key, value FROM meta LIMIT 100");
  if (!statement) return statement.error();
  std::map<std::string, std::string> meta;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return meta;
    RowReader reader(*statement);
    const auto key = reader.text(word_bytes_max);
    const auto value = reader.text(name_bytes_max);
    if (!reader.ok()) return cassette_corrupt(database.name(), "its table meta holds a wrong " + reader.problem());
    meta.emplace(key, value);
  }
}

std::optional<std::int64_t> number_in(const std::map<std::string, std::string>& meta, const std::string& key) {
  const auto found = meta.find(key);
  if (found == meta.end()) return std::nullopt;
  std::int64_t value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stopped, error] = std::from_chars(found->second.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

// Every object of ours is there to the letter, and of a format that we know nothing else is.
Result<void> compare_schema(Database& database, std::int64_t format) {
  auto statement = database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL LIMIT " +
                                    std::to_string(objects_max + 1));
  if (!statement) return statement.error();
  std::map<std::string, std::string> objects;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) break;
    RowReader reader(*statement);
    const auto name = reader.text(name_bytes_max);
    const auto sql = reader.text(head_bytes_max_stored);
    if (!reader.ok()) return cassette_corrupt(database.name(), "its schema is not one");
    objects.emplace(name, sql);
  }
  for (const auto& ours : format_1) {
    const auto found = objects.find(std::string(ours.name));
    if (found == objects.end()) return cassette_corrupt(database.name(), "it has no " + std::string(ours.name));
    if (found->second != ours.sql)
      return cassette_corrupt(database.name(), "its " + found->first + " is not as format 1 has it");
  }
  if (objects.size() > objects_max || (format <= cassette_format && objects.size() != format_1.size())) {
    return cassette_corrupt(database.name(), "it has tables that format 1 does not have");
  }
  return {};
}

bool is_uuid_text(std::string_view text) {
  return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

}  // namespace

Result<void> create_schema(Database& database, const CassetteEnvironment& environment) {
  std::string sql = "PRAGMA application_id = " + std::to_string(cassette_application_id) +
                    "; PRAGMA user_version = " + std::to_string(cassette_format) + ";";
  for (const auto& object : format_1) sql.append(object.sql).append(";");
  if (auto created = database.execute(sql); !created) return created;
  const auto uuid = uuid_from_random(environment.random_bytes());
  const std::array<std::pair<std::string_view, std::string>, 5> meta{{
      {"format", std::to_string(cassette_format)},
      {"min_reader", "1"},
      {"uuid", uuid_text(uuid_bytes(uuid))},
      {"tool_version", environment.tool_version},
      {"created_at_us", std::to_string(environment.now_us())},
  }};
  for (const auto& [key, value] : meta) {
    if (auto set = set_meta(database, key, value); !set) return set;
  }
  return {};
}

Result<void> check_header(const DatabaseHeader& header, const std::string& name) {
  if (header.file_size == 0) return cassette_foreign(name, "empty");
  if (!header.is_sqlite) return cassette_foreign(name, "some other kind of file");
  if (header.application_id != cassette_application_id) return cassette_foreign(name, "another program's database");
  return {};
}

Result<void> check_whole_pages(const DatabaseHeader& header, const std::string& name) {
  const bool is_whole = header.page_size != 0 && header.file_size % header.page_size == 0;
  if (!is_whole) return cassette_corrupt(name, "its end is cut off");
  return {};
}

Result<CassetteMeta> check_schema(Database& database) {
  auto application_id = database.query_integer("PRAGMA application_id");
  if (!application_id) return application_id.error();
  if (*application_id != cassette_application_id)
    return cassette_foreign(database.name(), "another program's database");
  auto user_version = database.query_integer("PRAGMA user_version");
  if (!user_version) return user_version.error();
  auto meta = read_meta(database);
  if (!meta) return meta.error();

  CassetteMeta known;
  known.format = number_in(*meta, "format").value_or(0);
  known.min_reader = number_in(*meta, "min_reader").value_or(0);
  known.uuid = (*meta)["uuid"];
  if (known.format < 1 || known.format != *user_version || known.min_reader < 1 || known.min_reader > known.format) {
    return cassette_corrupt(database.name(), "it does not say which format it has");
  }
  if (known.min_reader > cassette_format) {
    return Failure{"cassette-newer", Blame::cassette,
                   database.name() + " has format " + std::to_string(known.format) + " and needs a reader of format " +
                       std::to_string(known.min_reader) + ", this tapedeck reads up to " +
                       std::to_string(cassette_format) + "; install a newer tapedeck"};
  }
  if (!is_uuid_text(known.uuid)) return cassette_corrupt(database.name(), "it has no uuid");
  if (auto same = compare_schema(database, known.format); !same) return same.error();
  return known;
}

}  // namespace tapedeck
