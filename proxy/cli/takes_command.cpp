#include <ostream>

#include <nlohmann/json.hpp>

#include "config/text.hpp"
#include "proxy/cli/columns.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/runtime/readable_units.hpp"
#include "storage/cassette/cassette_reader.hpp"
#include "storage/cassette/words.hpp"

namespace tapedeck {

namespace {

std::string row_text(std::string_view ordinal, std::string_view kind, std::string_view state, std::string_view started,
                     std::string_view exchanges, std::string_view version) {
  return in_columns(ordinal, std::max<std::size_t>(4, ordinal.size()), Align::right) + "  " + in_columns(kind, 12) +
         "  " + in_columns(state, 11) + "  " + in_columns(started, 19) + "  " + in_columns(exchanges, 9, Align::right) +
         "  " + std::string(version);
}

std::string table_line(const Take& take) {
  std::string kind(word_of(take_kind_words, take.kind));
  if (take.parent_ordinal > 0) kind += " of " + std::to_string(take.parent_ordinal);
  return row_text(std::to_string(take.ordinal), kind, word_of(take_state_words, take.state),
                  short_time_text(take.started_at_us), std::to_string(take.exchange_count),
                  printable(take.tool_version));
}

nlohmann::ordered_json json_of(const Take& take) {
  nlohmann::ordered_json line;
  line["take"] = take.ordinal;
  line["uuid"] = take.uuid;
  line["kind"] = word_of(take_kind_words, take.kind);
  line["state"] = word_of(take_state_words, take.state);
  line["parent"] = take.parent_ordinal > 0 ? nlohmann::ordered_json(take.parent_ordinal) : nullptr;
  line["started_at"] = rfc3339_text(take.started_at_us);
  line["ended_at"] = take.ended_at_us > 0 ? nlohmann::ordered_json(rfc3339_text(take.ended_at_us)) : nullptr;
  line["exchanges"] = take.exchange_count;
  line["tool_version"] = take.tool_version;
  return line;
}

}  // namespace

int list_or_drop_takes(const TakesCommand& command, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const Failure& failure) {
    say_failure(err, failure.detail);
    return 1;
  };
  if (command.drop_last) {
    const auto dropped = drop_last_take(command.cassette, Limits{}.writer_lock_wait_ms);
    if (!dropped) return fail(dropped.error());
    out << "dropped take " << *dropped << " of " << printable(command.cassette.string()) << '\n';
    return 0;
  }
  auto reader = CassetteReader::open(command.cassette);
  if (!reader) return fail(reader.error());
  const auto takes = (*reader)->takes();
  if (!takes) return fail(takes.error());
  if (!command.json && !takes->empty()) {
    out << row_text("TAKE", "KIND", "STATE", "STARTED (UTC)", "EXCHANGES", "VERSION") << '\n';
  }
  for (const Take& take : *takes) {
    if (command.json) {
      out << json_of(take).dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    } else {
      out << table_line(take) << '\n';
    }
  }
  if (!command.json && takes->empty()) out << "there are no takes\n";
  return 0;
}

}  // namespace tapedeck
