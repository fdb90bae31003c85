// What tells states of a cassette apart without reading it.

#include <doctest/doctest.h>

#include "storage/cassette/files.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

using namespace tapedeck;
using namespace tapedeck::test;

namespace {

std::optional<CassetteStamp> stamp_of(const std::filesystem::path& file) {
  auto reader = required(CassetteReader::open(file));
  return required(reader->stamp());
}

}  // namespace

TEST_CASE("a stamp stays while the cassette does, and another take changes it") {
  const TemporaryFolder folder;
  const auto file = folder / "c";
  record(file, {numbered(1)});
  auto reader = required(CassetteReader::open(file));
  const auto before = required(reader->stamp());
  REQUIRE(before.has_value());
  CHECK(before->uuid == reader->uuid());
  CHECK(before->file_bytes == std::filesystem::file_size(file));
  CHECK(stamp_of(file) == before);
  record(file, {numbered(2)});
  const auto after = stamp_of(file);
  REQUIRE(after.has_value());
  CHECK(after->uuid == before->uuid);
  CHECK(after->change_counter != before->change_counter);
  CHECK(after->modified_ns != before->modified_ns);
  CHECK(required(reader->stamp()) == after);
}

TEST_CASE("a cassette that is written, or waits to be recovered, has no stamp") {
  const TemporaryFolder folder;
  const auto file = folder / "c";
  record(file, {numbered(1)});
  auto reader = required(CassetteReader::open(file));
  {
    auto writer = required(CassetteWriter::open(file, {}));
    CHECK_FALSE(stamp_of(file).has_value());
    CHECK_FALSE(required(reader->stamp()).has_value());
    required(writer->begin_take(TakeKind::replace));
    required(append(*writer, {numbered(2)}));
    CHECK_FALSE(required(reader->stamp()).has_value());
    require_ok(writer->end_take(TakeState::complete));
    require_ok(writer->close());
  }
  CHECK(stamp_of(file).has_value());
  write_bytes(wal_of(file), "");
  CHECK_FALSE(stamp_of(file).has_value());
}
