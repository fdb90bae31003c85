#include "storage/cassette/exchange_rows.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "storage/cassette/failures.hpp"
#include "storage/cassette/header_list.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/cassette/words.hpp"

namespace tapedeck {

namespace {

constexpr std::string_view http_kind = "http";
constexpr int columns = 41;

constexpr std::string_view column_names =
    "id, take, uuid, kind, state, cut_by_client, session, initiator, caused_by, way_in, client_protocol, "
    "upstream_protocol, started_number, finished_number, started_at_us, request_sent_us, first_byte_us, finished_us, "
    "scheme, host, port, method, target, request_headers, request_framing, request_body, request_body_form, "
    "request_trailers, status, reason, response_headers, response_framing, response_body, response_body_form, "
    "response_trailers, interim_responses, failure_phase, failure_kind, failure_side, failure_code, "
    "failure_response_bytes";
static_assert(std::count(column_names.begin(), column_names.end(), ',') == columns - 1);

constexpr std::string_view answer_column_names =
    "exchanges.id, kind, state, started_at_us, first_byte_us, finished_us, scheme, host, port, target, status, reason, "
    "response_headers, response_framing, response_body, response_body_form, response_trailers, interim_responses, "
    "failure_phase, failure_kind, failure_side, failure_code, failure_response_bytes";

// The encoded lists must live until the statement has run.
struct EncodedHeads {
  std::string request_headers, request_trailers, response_headers, response_trailers, interim_responses;

  explicit EncodedHeads(const Exchange& exchange)
      : request_headers(encode_headers(exchange.request.headers)),
        request_trailers(encode_headers(exchange.request.trailers)) {
    if (!exchange.response) return;
    response_headers = encode_headers(exchange.response->headers);
    response_trailers = encode_headers(exchange.response->trailers);
    interim_responses = encode_interim_responses(exchange.response->interim);
  }
};

void bind_body(Statement& insert, std::int64_t id) {
  id != 0 ? insert.bind(id) : insert.bind_null();
}

void bind_general(Statement& insert, const ExchangePlace& place, const Exchange& exchange) {
  insert.bind(place.id)
      .bind(place.take_ordinal)
      .bind_blob(uuid_bytes(place.uuid))
      .bind_text(http_kind)
      .bind_text(word_of(exchange_state_words, exchange.state))
      .bind(exchange.cut_by_client ? 1 : 0)
      .bind_text(exchange.session)
      .bind_text(word_of(initiator_words, exchange.initiator))
      .bind_null()  // caused_by: nothing of ours causes exchanges yet
      .bind_text(word_of(way_in_words, exchange.way_in))
      .bind_text(exchange.client_protocol)
      .bind_text(exchange.upstream_protocol)
      .bind(static_cast<std::int64_t>(exchange.started_number))
      .bind(static_cast<std::int64_t>(exchange.finished_number))
      .bind(exchange.started_at_us)
      .bind(exchange.request_sent_us)
      .bind(exchange.first_byte_us)
      .bind(exchange.finished_us);
}

void bind_request(Statement& insert, const ExchangePlace& place, const Request& request, const EncodedHeads& heads) {
  insert.bind_text(request.origin.scheme)
      .bind_text(request.origin.host)
      .bind(request.origin.port)
      .bind_text(request.method)
      .bind_text(request.target)
      .bind_blob(heads.request_headers)
      .bind_text(word_of(body_framing_words, request.body.framing));
  bind_body(insert, place.request_body);
  insert.bind_text(word_of(body_form_words, request.body.form)).bind_blob(heads.request_trailers);
}

void bind_response(Statement& insert, const ExchangePlace& place, const std::optional<Response>& response,
                   const EncodedHeads& heads) {
  if (!response) {
    for (int i = 0; i < 8; ++i) insert.bind_null();
    return;
  }
  insert.bind(response->status)
      .bind_text(response->reason)
      .bind_blob(heads.response_headers)
      .bind_text(word_of(body_framing_words, response->body.framing));
  bind_body(insert, place.response_body);
  insert.bind_text(word_of(body_form_words, response->body.form))
      .bind_blob(heads.response_trailers)
      .bind_blob(heads.interim_responses);
}

void bind_failure(Statement& insert, const std::optional<NetworkFailure>& failure) {
  if (!failure) {
    for (int i = 0; i < 5; ++i) insert.bind_null();
    return;
  }
  insert.bind_text(word_of(failure_phase_words, failure->phase))
      .bind_text(word_of(failure_kind_words, failure->kind))
      .bind_text(word_of(failure_side_words, failure->side))
      .bind_text(failure->code)
      .bind(static_cast<std::int64_t>(failure->response_bytes));
}

template <class Enum, std::size_t N>
Enum take_word(RowReader& row, const std::array<Word<Enum>, N>& words) {
  const auto value = value_of(words, row.text(word_bytes_max));
  if (!value) row.reject();
  return value.value_or(words.front().value);
}

std::string take_line(RowReader& row) {
  const auto text = row.text(name_bytes_max);
  if (!fits_on_line(text)) row.reject();
  return std::string(text);
}

std::string take_word_text(RowReader& row, std::size_t bytes_max) {
  const auto text = row.text(bytes_max);
  if (text.empty() || !fits_in_word(text)) row.reject();
  return std::string(text);
}

Headers take_headers(RowReader& row) {
  auto headers = decode_headers(row.blob(head_bytes_max_stored));
  if (!headers) row.reject();
  return headers ? std::move(*headers) : Headers{};
}

std::string take_protocol(RowReader& row) {
  const auto text = row.text(word_bytes_max);
  if (!fits_in_word(text)) row.reject();
  return std::string(text);
}

std::int64_t take_time(RowReader& row) {
  return row.integer(0, time_us_max);
}

void take_origin(RowReader& row, Origin& origin) {
  origin.scheme = take_word_text(row, word_bytes_max);
  origin.host = take_word_text(row, name_bytes_max);
  origin.port = static_cast<std::uint16_t>(row.integer(0, 65535));
}

void read_general(RowReader& row, ExchangeRow& out) {
  Exchange& exchange = out.exchange;
  exchange.state = take_word(row, exchange_state_words);
  exchange.cut_by_client = row.integer(0, 1) == 1;
  exchange.session = take_line(row);
  exchange.initiator = take_word(row, initiator_words);
  (void)row.optional_blob_of_size(16);  // caused_by
  exchange.way_in = take_word(row, way_in_words);
  exchange.client_protocol = take_protocol(row);
  exchange.upstream_protocol = take_protocol(row);
  exchange.started_number = static_cast<std::uint64_t>(row.integer());
  exchange.finished_number = static_cast<std::uint64_t>(row.integer());
  exchange.started_at_us = take_time(row);
  exchange.request_sent_us = take_time(row);
  exchange.first_byte_us = take_time(row);
  exchange.finished_us = take_time(row);
}

void read_request(RowReader& row, ExchangeRow& out) {
  Request& request = out.exchange.request;
  take_origin(row, request.origin);
  request.method = take_word_text(row, name_bytes_max);
  request.target = take_word_text(row, head_bytes_max_stored);
  request.headers = take_headers(row);
  request.body.framing = take_word(row, body_framing_words);
  out.place.request_body = row.optional_integer(1).value_or(0);
  request.body.form = take_word(row, body_form_words);
  request.trailers = take_headers(row);
}

void read_response(RowReader& row, ExchangePlace& place, Exchange& exchange) {
  const auto status = row.optional_integer(100, 999);
  if (!status) return row.skip(7);
  Response& response = exchange.response.emplace();
  response.status = static_cast<int>(*status);
  response.reason = take_line(row);
  response.headers = take_headers(row);
  response.body.framing = take_word(row, body_framing_words);
  place.response_body = row.optional_integer(1).value_or(0);
  response.body.form = take_word(row, body_form_words);
  response.trailers = take_headers(row);
  auto interim = decode_interim_responses(row.blob(interim_bytes_max));
  if (!interim) return row.reject();
  response.interim = std::move(*interim);
}

void read_failure(RowReader& row, Exchange& exchange) {
  if (row.next_is_null()) return row.skip(5);
  NetworkFailure& failure = exchange.failure.emplace();
  failure.phase = take_word(row, failure_phase_words);
  failure.kind = take_word(row, failure_kind_words);
  failure.side = take_word(row, failure_side_words);
  failure.code = take_line(row);
  failure.response_bytes = static_cast<std::uint64_t>(row.integer());
}

bool line_fits(std::string_view text) {
  return text.size() <= name_bytes_max && fits_on_line(text);
}

bool word_fits(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && fits_in_word(text);
}

bool protocol_fits(std::string_view text) {
  return text.size() <= word_bytes_max && fits_in_word(text);
}

bool times_fit(const Exchange& exchange) {
  const auto times = {exchange.started_at_us, exchange.request_sent_us, exchange.first_byte_us, exchange.finished_us};
  return std::all_of(times.begin(), times.end(), [](auto time) { return time >= 0 && time <= time_us_max; });
}

bool interim_fit(const std::vector<InterimResponse>& responses) {
  const auto encoded = encode_interim_responses(responses);
  return encoded.size() <= interim_bytes_max && decode_interim_responses(encoded).has_value();
}

std::optional<std::string_view> unfit_part(const Request& request) {
  if (!word_fits(request.origin.scheme, word_bytes_max)) return "scheme";
  if (!word_fits(request.origin.host, name_bytes_max)) return "host";
  if (!word_fits(request.method, name_bytes_max)) return "method";
  if (!word_fits(request.target, head_bytes_max_stored)) return "target";
  if (!headers_fit(request.headers, head_bytes_max_stored)) return "request head";
  if (!headers_fit(request.trailers, head_bytes_max_stored)) return "request trailers";
  if (request.body.bytes.size() > body_bytes_max_stored) return "request body";
  return std::nullopt;
}

std::optional<std::string_view> unfit_part(const Response& response) {
  if (response.status < 100 || response.status > 999) return "status";
  if (!line_fits(response.reason)) return "reason phrase";
  if (!headers_fit(response.headers, head_bytes_max_stored)) return "response head";
  if (!headers_fit(response.trailers, head_bytes_max_stored)) return "response trailers";
  if (!interim_fit(response.interim)) return "list of 1xx responses";
  if (response.body.bytes.size() > body_bytes_max_stored) return "response body";
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> unfit_part(const Exchange& exchange) {
  if (!line_fits(exchange.session)) return "session name";
  if (!protocol_fits(exchange.client_protocol) || !protocol_fits(exchange.upstream_protocol)) return "protocol";
  if (!times_fit(exchange)) return "time";
  if (exchange.failure && !line_fits(exchange.failure->code)) return "failure code";
  if (!exchange.response && !exchange.failure && exchange.state == ExchangeState::whole) return "missing response";
  if (const auto part = unfit_part(exchange.request)) return part;
  return exchange.response ? unfit_part(*exchange.response) : std::nullopt;
}

std::string_view insert_exchange_sql() {
  static const std::string sql = [] {
    std::string text = "INSERT INTO exchanges(" + std::string(column_names) + ") VALUES (?";
    for (int i = 1; i < columns; ++i) text += ", ?";
    return text + ")";
  }();
  return sql;
}

std::string_view exchange_columns() {
  return column_names;
}

Result<void> insert_exchange(Statement& insert, const ExchangePlace& place, const Exchange& exchange) {
  const EncodedHeads heads(exchange);
  bind_general(insert, place, exchange);
  bind_request(insert, place, exchange.request, heads);
  bind_response(insert, place, exchange.response, heads);
  bind_failure(insert, exchange.failure);
  return insert.run_changing(1);
}

std::string_view answer_columns() {
  return answer_column_names;
}

namespace {

Result<void> check(const RowReader& row, std::int64_t id, const Exchange& exchange, const std::string& name) {
  if (!row.ok()) return cassette_corrupt(name, "exchange " + std::to_string(id) + " has a wrong " + row.problem());
  if (exchange.response || exchange.failure || exchange.state != ExchangeState::whole) return {};
  return cassette_corrupt(name, "exchange " + std::to_string(id) + " has no response");
}

}  // namespace

Result<bool> read_answer(RowReader& row, const std::string& name_in_errors, ExchangePlace& place, Exchange& exchange) {
  place.id = row.integer(1);
  const bool known_kind = row.text(word_bytes_max) == http_kind;
  if (row.ok() && !known_kind) return false;
  exchange.state = take_word(row, exchange_state_words);
  exchange.started_at_us = take_time(row);
  exchange.first_byte_us = take_time(row);
  exchange.finished_us = take_time(row);
  take_origin(row, exchange.request.origin);
  exchange.request.target = take_word_text(row, head_bytes_max_stored);
  read_response(row, place, exchange);
  read_failure(row, exchange);
  if (auto checked = check(row, place.id, exchange, name_in_errors); !checked) return checked.error();
  return true;
}

Result<ExchangeRow> read_exchange(const Statement& select, const std::string& name_in_errors) {
  ExchangeRow out;
  RowReader row(select);
  out.place.id = row.integer(1);
  out.place.take_ordinal = row.integer(1);
  const auto uuid = row.blob_of_size(out.place.uuid.size());
  if (row.ok()) std::copy(uuid.begin(), uuid.end(), out.place.uuid.begin());
  out.known_kind = row.text(word_bytes_max) == http_kind;
  if (row.ok() && !out.known_kind) return out;
  read_general(row, out);
  read_request(row, out);
  read_response(row, out.place, out.exchange);
  read_failure(row, out.exchange);
  if (auto checked = check(row, out.place.id, out.exchange, name_in_errors); !checked) return checked.error();
  return out;
}

}  // namespace tapedeck
