// Opening and reading any file ends in exchanges or in a failure, never in anything else. An input is either a whole
// file or a list of bytes to change in a good cassette: a fuzzer would not find its way into SQLite's pages alone.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "storage/cassette/cassette_reader.hpp"
#include "storage/cassette/schema.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/exchange_builder.hpp"

namespace {

using namespace tapedeck;

// A folder of this process alone, gone when it ends well.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("tapedeck-fuzz-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

const std::filesystem::path& folder() {
  static const Folder instance;
  return instance.path;
}

std::string make_good_cassette() {
  const std::filesystem::path file = folder() / "good.cassette";
  const Redactor redactor({}, Limits{});
  auto writer = CassetteWriter::open(file, WriterOptions{}).value();
  writer->begin_take(TakeKind::replace).value();
  for (const std::string_view target : {"/a", "/b?page=2", "/c"}) {
    auto exchange = test::ExchangeBuilder("GET", target).build();
    // One body of more than one piece.
    if (target == "/c") exchange.response->body.bytes = std::string(body_piece_bytes + 100, 'c');
    const RecordingStep step = redactor.redact(std::move(exchange)).value();
    TAPEDECK_CHECK(writer->append({&step}));
  }
  TAPEDECK_CHECK(writer->end_take(TakeState::complete));
  TAPEDECK_CHECK(writer->close());
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string cassette_of(fuzz::FuzzInput& input) {
  static const std::string good = make_good_cassette();
  if (input.below(2) == 0) return std::string(input.rest());
  std::string changed = good;
  while (!input.empty()) {
    const std::size_t place = input.word() % changed.size();
    changed[place] = static_cast<char>(input.byte());
  }
  return changed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::filesystem::path file = folder() / "fuzzed.cassette";
  std::ofstream(file, std::ios::binary | std::ios::trunc) << cassette_of(input);

  const auto reader = CassetteReader::open(file);
  if (!reader) {
    TAPEDECK_CHECK(!reader.error().detail.empty());
    return 0;
  }
  (void)reader.value()->takes();
  // Nothing is held, so that every body is read in pieces.
  const ReadParts parts{.request_bodies = true, .response_bodies = true, .events = true, .body_bytes_max = 0};
  (void)reader.value()->for_each(parts, [&](StoredExchange&& stored) {
    constexpr int pieces_max = 100;
    int pieces = 0;
    (void)reader.value()->for_each_piece(stored.response_body, [&](std::string_view) { return ++pieces < pieces_max; });
    return true;
  });
  for (std::int64_t id = 1; id <= 4; ++id) {
    StoredExchange answer;
    (void)reader.value()->load_answer(id, body_memory_bytes_max, answer);
  }
  (void)reader.value()->check_integrity();
  return 0;
}
