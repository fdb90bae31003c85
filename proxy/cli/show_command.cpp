#include <ostream>

#include "proxy/cli/commands.hpp"
#include "proxy/cli/exchange_text.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

namespace {

// Why `load` failed: mostly because the number is a wrong one, which is no fault of the cassette.
std::string reason(CassetteReader& reader, const ShowCommand& command, const Failure& failure) {
  bool there = false;
  ReadParts heads_only;
  heads_only.request_bodies = heads_only.response_bodies = false;
  const auto visited = reader.for_each(heads_only, [&](StoredExchange&& stored) {
    there = stored.id == command.id;
    return !there;
  });
  if (!visited || there) return failure.detail;
  return "there is no exchange " + std::to_string(command.id) + " in " + command.cassette.string() +
         "; tapedeck list prints the IDs";
}

}  // namespace

int show_exchange(const ShowCommand& command, std::ostream& out, std::ostream& err) {
  const auto fail = [&](std::string_view detail) {
    say_failure(err, detail);
    return 1;
  };
  auto reader = CassetteReader::open(command.cassette);
  if (!reader) return fail(reader.error().detail);
  const auto stored = (*reader)->load(command.id, ReadParts{});
  if (!stored) return fail(reason(**reader, command, stored.error()));
  if (!command.raw) {
    out << exchange_text(*stored);
    return 0;
  }
  if (!stored->exchange.response) {
    return fail("exchange " + std::to_string(command.id) + " has no response (" + outcome_text(stored->exchange) +
                "); leave --raw out to see what it has");
  }
  const auto write = [&out](std::string_view bytes) {
    return out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).good();
  };
  if (!stored->response_body_stays()) {
    write(stored->exchange.response->body.bytes);
    return 0;
  }
  const auto written = (*reader)->for_each_piece(stored->response_body, write);
  return written ? 0 : fail(written.error().detail);
}

}  // namespace tapedeck
