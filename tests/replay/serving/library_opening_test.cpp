// Index files from a cassette's side: when one is used, when it is made anew, and that answers are the same either way.

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "replay/serving/replay_session.hpp"
#include "storage/cassette/cassette_writer.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/replay/serving/random_recordings.hpp"
#include "tests/replay/serving/temporary_folder.hpp"

namespace tapedeck {

using test::ExchangeBuilder;
using test::RandomRecordings;
using test::TemporaryFolder;

namespace {

void record(const std::filesystem::path& file, const std::vector<StoredExchange>& exchanges) {
  const Redactor redactor({}, Limits{});
  auto writer = CassetteWriter::open(file, {}).value();
  REQUIRE(writer->begin_take(TakeKind::replace).has_value());
  std::vector<RecordingStep> steps;
  for (const auto& stored : exchanges) steps.emplace_back(redactor.redact(stored.exchange).value());
  std::vector<const RecordingStep*> batch;
  for (const auto& step : steps) batch.push_back(&step);
  REQUIRE(writer->append(batch).has_value());
  REQUIRE(writer->end_take(TakeState::complete).has_value());
  REQUIRE(writer->close().has_value());
}

// Opens a library and remembers what was said meanwhile.
struct Opening {
  std::unique_ptr<CassetteReader> reader;
  std::unique_ptr<ReplayLibrary> library;
  bool built = false;
  std::string notes;
  std::uint64_t done = 0;
  std::uint64_t total = 0;

  Opening(const std::filesystem::path& cassette, const std::filesystem::path& folder,
          const MatchKeyMaker& keys = MatchKeyMaker({}), std::uint64_t exchanges_min = 1)
      : reader(CassetteReader::open(cassette).value()) {
    IndexSettings settings;
    settings.folder = folder;
    settings.file_exchanges_min = exchanges_min;
    settings.on_progress = [this](std::uint64_t is_done, std::uint64_t of_total) {
      CHECK(is_done >= done);
      CHECK(is_done <= of_total);
      built = true;
      done = is_done;
      total = of_total;
    };
    settings.on_note = [this](const std::string& text) { notes += text + "\n"; };
    settings.on_damage = settings.on_note;
    library = ReplayLibrary::open(*reader, keys, SequencePolicy::sticky, settings).value();
  }
};

std::string answers_of(ReplayLibrary& library, const std::vector<StoredExchange>& asked) {
  const MatchKeyMaker keys({});
  std::string answers;
  for (const auto& stored : asked) {
    const auto& request = stored.exchange.request;
    const auto* found = library.find(keys.make(request));
    if (found == nullptr) {
      answers += "none: " + library.explain_miss(keys.make(request), "line").detail + "\n";
      continue;
    }
    const auto next = library.next(*found, stored.exchange.session, conditions_of(request.headers));
    const auto* hit = std::get_if<Hit>(&next);
    answers += hit == nullptr ? "differs\n" : std::to_string(hit->exchange_id) + (hit->only_choice ? " only\n" : "\n");
  }
  for (const auto& origin : library.origins()) answers += origin + "\n";
  for (const auto& unused : library.unused())
    answers += std::to_string(unused.exchange_id) + unused.request_line + "\n";
  return answers + std::to_string(library.exchange_count()) + " " + std::to_string(library.newest_recorded_at_us());
}

}  // namespace

TEST_CASE("a library from a file answers as one from the cassette, and is opened without reading it") {
  const TemporaryFolder folder;
  RandomRecordings random(test::printed_seed());
  const auto exchanges = random.exchanges(600);
  record(folder / "c", exchanges);
  const auto asked = random.exchanges(900);

  auto reader = CassetteReader::open(folder / "c").value();
  const auto built = ReplayLibrary::build(*reader, MatchKeyMaker({}), SequencePolicy::sticky).value();
  const auto expected = answers_of(*built, asked);
  const Opening first(folder / "c", folder / "cache");
  CHECK(first.built);
  CHECK(first.total == 600);
  CHECK(first.done == 600);
  CHECK(answers_of(*first.library, asked) == expected);
  const Opening second(folder / "c", folder / "cache");
  CHECK_FALSE(second.built);
  CHECK(second.notes.find("using the key index") != std::string::npos);
  CHECK(answers_of(*second.library, asked) == expected);
}

TEST_CASE("an index file is made anew when the cassette or the rules are others, and not shared by rules") {
  const TemporaryFolder folder;
  const auto exchanges = RandomRecordings(1).exchanges(50);
  record(folder / "c", exchanges);
  CHECK(Opening(folder / "c", folder / "cache").built);
  CHECK_FALSE(Opening(folder / "c", folder / "cache").built);

  SUBCASE("another take") {
    record(folder / "c", exchanges);
    const Opening opening(folder / "c", folder / "cache");
    CHECK(opening.built);
    CHECK(opening.notes.find("have changed") != std::string::npos);
    CHECK(opening.library->exchange_count() == 100);
  }
  SUBCASE("another time of change") {
    const timespec times[2] = {{0, UTIME_OMIT}, {1'000'000, 1}};
    REQUIRE(::utimensat(AT_FDCWD, (folder / "c").c_str(), times, 0) == 0);
    CHECK(Opening(folder / "c", folder / "cache").built);
  }
  SUBCASE("another change counter, size and time being the same") {
    struct stat before {};
    REQUIRE(::stat((folder / "c").c_str(), &before) == 0);
    std::fstream file(folder / "c", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(27).put('\x7f');
    file.close();
    const timespec times[2] = {{0, UTIME_OMIT}, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, (folder / "c").c_str(), times, 0) == 0);
    CHECK(Opening(folder / "c", folder / "cache").built);
  }
  SUBCASE("another cassette in its place") {
    std::filesystem::remove(folder / "c");
    record(folder / "c", exchanges);
    CHECK(Opening(folder / "c", folder / "cache").built);
    CHECK(std::distance(std::filesystem::directory_iterator(folder / "cache"), {}) == 2);
  }
  SUBCASE("other rules, beside which the first file stays") {
    const MatchKeyMaker other({load_profile("roaring").value()});
    CHECK(Opening(folder / "c", folder / "cache", other).built);
    CHECK_FALSE(Opening(folder / "c", folder / "cache", other).built);
  }
  SUBCASE("a file that was deleted") {
    std::filesystem::remove_all(folder / "cache");
    CHECK(Opening(folder / "c", folder / "cache").built);
  }
  CHECK_FALSE(Opening(folder / "c", folder / "cache").built);
}

TEST_CASE("no index file for a small cassette, while one is recorded, or where none can be") {
  const TemporaryFolder folder;
  const auto exchanges = RandomRecordings(1).exchanges(50);
  record(folder / "c", exchanges);
  SUBCASE("small") {
    CHECK(Opening(folder / "c", folder / "cache", MatchKeyMaker({}), 51).built);
  }
  SUBCASE("being recorded") {
    auto writer = CassetteWriter::open(folder / "c", {}).value();
    REQUIRE(writer->begin_take(TakeKind::extend).has_value());
    CHECK(Opening(folder / "c", folder / "cache").built);
    REQUIRE(writer->end_take(TakeState::complete).has_value());
    REQUIRE(writer->close().has_value());
  }
  SUBCASE("no folder can be made") {
    std::ofstream(folder / "file").flush();
    const Opening opening(folder / "c", folder / "file/cache");
    CHECK(opening.library->exchange_count() == 50);
    CHECK(opening.notes.find("in memory only") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "cache"));
}

TEST_CASE("a damaged index file answers what it can, says so once, and is gone for the next start") {
  const TemporaryFolder folder;
  const MatchKeyMaker keys({});
  auto get = ExchangeBuilder("GET", "/x");
  StoredExchange stored;
  stored.exchange = get.numbers(1, 1).build();
  record(folder / "c", {stored});
  CHECK(Opening(folder / "c", folder / "cache").built);
  const auto file = std::filesystem::directory_iterator(folder / "cache")->path();
  const auto bytes = std::filesystem::file_size(file);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(bytes) - 3)
      .put('!');

  Opening opening(folder / "c", folder / "cache");
  CHECK_FALSE(opening.built);
  CHECK(opening.library->find(keys.make(get.build().request)) == nullptr);
  CHECK(opening.library->find(keys.make(get.build().request)) == nullptr);
  CHECK(opening.library->unused().empty());
  const auto told = opening.notes.find("is damaged");
  CHECK(told != std::string::npos);
  CHECK(opening.notes.find("is damaged", told + 1) == std::string::npos);
  CHECK_FALSE(std::filesystem::exists(file));
  const Opening next(folder / "c", folder / "cache");
  CHECK(next.built);
  CHECK(next.library->find(keys.make(get.build().request)) != nullptr);
}

}  // namespace tapedeck
