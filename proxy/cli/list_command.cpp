#include <algorithm>
#include <ostream>

#include <nlohmann/json.hpp>

#include "config/text.hpp"
#include "proxy/cli/columns.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/cli/exchange_text.hpp"
#include "proxy/runtime/readable_units.hpp"
#include "storage/cassette/cassette_reader.hpp"
#include "storage/cassette/words.hpp"

namespace tapedeck {

namespace {

// Fixed widths, so that a cassette of any size is listed without holding it. The URL comes last and has what is left.
std::string row_text(std::string_view id, std::string_view take, std::string_view time, std::string_view session,
                     std::string_view outcome, std::string_view size, std::string_view duration,
                     std::string_view request) {
  // A number too long for its column stands whole: it is what `tapedeck show` takes.
  return in_columns(id, std::max<std::size_t>(6, id.size()), Align::right) + "  " + in_columns(take, 4, Align::right) +
         "  " + in_columns(time, 19) + "  " + in_columns(session, 10) + "  " + in_columns(outcome, 18) + "  " +
         in_columns(size, 6, Align::right) + "  " + in_columns(duration, 8, Align::right) + "  " + std::string(request);
}

std::uint64_t response_bytes(const StoredExchange& stored) {
  return stored.exchange.response ? stored.response_body.size : 0;
}

std::string table_line(const StoredExchange& stored, std::size_t columns) {
  const Exchange& exchange = stored.exchange;
  return cut_to(
      row_text(std::to_string(stored.id), std::to_string(stored.take_ordinal), short_time_text(exchange.started_at_us),
               printable(exchange.session), outcome_text(exchange),
               exchange.response ? size_text(response_bytes(stored)) : "-", duration_text(exchange.finished_us),
               printable(exchange.request.method) + ' ' + printable(url_text(exchange.request))),
      columns);
}

nlohmann::ordered_json json_of(const StoredExchange& stored) {
  const Exchange& exchange = stored.exchange;
  nlohmann::ordered_json line;
  line["id"] = stored.id;
  line["take"] = stored.take_ordinal;
  line["started_at"] = rfc3339_text(exchange.started_at_us);
  line["session"] = exchange.session;
  line["state"] = word_of(exchange_state_words, exchange.state);
  line["method"] = exchange.request.method;
  line["url"] = url_text(exchange.request);
  line["status"] = exchange.response ? nlohmann::ordered_json(exchange.response->status) : nullptr;
  if (exchange.failure) {
    line["failure"] = {{"phase", word_of(failure_phase_words, exchange.failure->phase)},
                       {"kind", word_of(failure_kind_words, exchange.failure->kind)},
                       {"side", word_of(failure_side_words, exchange.failure->side)}};
  }
  line["response_bytes"] = response_bytes(stored);
  line["duration_us"] = exchange.finished_us;
  return line;
}

}  // namespace

int list_exchanges(const ListCommand& command, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const Failure& failure) {
    say_failure(err, failure.detail);
    return 1;
  };
  auto reader = CassetteReader::open(command.cassette);
  if (!reader) return fail(reader.error());
  bool any = false;
  const auto visit = [&](StoredExchange&& stored) {
    if (command.take && *command.take != stored.take_ordinal) return true;
    if (!command.json && !any) {
      out << cut_to(row_text("ID", "TAKE", "STARTED (UTC)", "SESSION", "OUTCOME", "SIZE", "TIME", "REQUEST"),
                    command.columns)
          << '\n';
    }
    any = true;
    if (command.json) {
      out << json_of(stored).dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    } else {
      out << table_line(stored, command.columns) << '\n';
    }
    return out.good();
  };
  ReadParts parts;
  parts.request_bodies = false;
  const auto visited = (*reader)->for_each(parts, visit);
  if (!visited) return fail(visited.error());
  if (!any && !command.json) out << "there are no exchanges" << (command.take ? " of that take" : "") << '\n';
  return 0;
}

}  // namespace tapedeck
