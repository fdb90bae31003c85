// A cassette from a stranger may hold anything. Whatever single bytes are changed or cut off, reading and writing end
// with a clean failure or with valid values, never with a crash (run with sanitizers, this is where they look).

#include <random>

#include <doctest/doctest.h>

#include "storage/cassette/files.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

const std::vector<std::string> known_codes{"cassette-foreign",    "cassette-newer",        "cassette-corrupt",
                                           "cassette-unreadable", "cassette-write-failed", "cassette-busy"};

template <class T>
bool is_clean(const Result<T>& result) {
  if (result) return true;
  const auto& failure = result.error();
  const bool known = std::find(known_codes.begin(), known_codes.end(), failure.code) != known_codes.end();
  CHECK_MESSAGE(known, failure.code << ": " << failure.detail);
  return false;
}

// Whether every exchange could still be read.
bool read_all(const std::filesystem::path& file) {
  auto reader = CassetteReader::open(file);
  if (!is_clean(reader)) return false;
  bool fine = is_clean((*reader)->takes());
  fine &= is_clean((*reader)->for_each({true, true, true}, [](StoredExchange&& stored) {
    const auto& exchange = stored.exchange;
    CHECK(exchange.request.target.find_first_of("\r\n ") == std::string::npos);
    for (std::size_t i = 0; i < exchange.request.headers.size(); ++i) {
      CHECK(exchange.request.headers[i].value.find_first_of("\r\n") == std::string_view::npos);
    }
    return true;
  }));
  for (std::int64_t id = 1; id <= 4; ++id) {
    const bool answers = is_clean(answer_of(**reader, id, body_memory_bytes_max));
    const bool loads = is_clean((*reader)->load(id, {true, true, true}));
    CHECK_MESSAGE((answers || !loads), "what can be read whole can be answered with");
    fine &= loads;
  }
  (void)is_clean((*reader)->check_integrity());
  return fine;
}

void write_one_more(const std::filesystem::path& file) {
  WriterOptions options;
  options.lock_wait_ms = std::chrono::milliseconds{0};
  auto writer = CassetteWriter::open(file, options);
  if (!is_clean(writer) || !is_clean((*writer)->begin_take(TakeKind::extend))) return;
  (void)is_clean(append(**writer, {numbered(9)}));
  (void)is_clean((*writer)->end_take(TakeState::complete));
  (void)is_clean((*writer)->close());
}

std::string small_cassette(const TemporaryFolder& folder) {
  auto large = numbered(2);
  large.response->body.bytes = std::string(66'000, 'b');
  large.response->interim = {{103, "Early Hints", {{"Link", "</a>"}}}};
  large.events = {{Direction::response, ExchangeEvent::Kind::body_chunk, 1, 0, 66'000}};
  const auto failed =
      ExchangeBuilder().failure(NetworkFailure::Phase::connect, NetworkFailure::Kind::refused, "ECONNREFUSED").build();
  record(folder / "small", {numbered(1), large, failed});
  record(folder / "small", {numbered(3)}, TakeKind::extend);
  return bytes_of(folder / "small");
}

std::size_t seed_of_this_run() {
  const auto seed = std::random_device{}();
  MESSAGE("hostile bytes: seed ", seed);
  return seed;
}

}  // namespace

TEST_CASE("A cassette with any byte changed is read without harm") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto whole = small_cassette(folder);
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed_of_this_run()));
  const std::uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  int refused = 0;
  int read = 0;
  for (int i = 0; i < 2000; ++i) {
    // The header, the schema and the ends of pages are where most of the structure is.
    const std::size_t at = i < 200 ? static_cast<std::size_t>(i) : random() % whole.size();
    auto changed = whole;
    const auto value = random() % 2 == 0 ? values[random() % 5] : static_cast<std::uint8_t>(random());
    changed[at] = static_cast<char>(value);
    CAPTURE(at);
    CAPTURE(static_cast<int>(value));
    write_bytes(file, changed);
    read_all(file) ? ++read : ++refused;
    if (i % 4 == 0) write_one_more(file);
    for (const auto& left : {wal_of(file), shm_of(file), journal_of(file)}) std::filesystem::remove(left);
  }
  CHECK(refused > 0);
  CHECK(read > 0);
}

TEST_CASE("A cassette cut off anywhere is refused") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  const auto whole = small_cassette(folder);
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed_of_this_run()));
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = i < 100 ? static_cast<std::size_t>(i) + 1 : random() % whole.size();
    CAPTURE(size);
    write_bytes(file, whole.substr(0, size));
    CHECK_FALSE(read_all(file));
    write_one_more(file);
    for (const auto& left : {wal_of(file), shm_of(file), journal_of(file)}) std::filesystem::remove(left);
  }
}

TEST_CASE("A cassette with a damaged -wal is read without harm") {
  const TemporaryFolder folder;
  const auto file = folder / "x.cassette";
  auto writer = required(CassetteWriter::open(folder / "hot", {}));
  required(writer->begin_take(TakeKind::replace));
  required(append(*writer, {numbered(1), numbered(2)}));
  writer.reset();
  const auto main = bytes_of(folder / "hot");
  const auto wal = bytes_of(wal_of(folder / "hot"));
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed_of_this_run()));
  for (int i = 0; i < 300; ++i) {
    auto changed = wal;
    if (i % 3 == 0) changed.resize(random() % wal.size());
    if (!changed.empty()) changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
    CAPTURE(i);
    write_bytes(file, main);
    write_bytes(wal_of(file), changed);
    (void)read_all(file);
    write_one_more(file);
    for (const auto& left : {wal_of(file), shm_of(file), journal_of(file)}) std::filesystem::remove(left);
  }
}
