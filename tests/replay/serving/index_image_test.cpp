#include "replay/serving/index_image.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include <doctest/doctest.h>

#include "replay/serving/index_builder.hpp"
#include "replay/serving/recording_index.hpp"
#include "tests/replay/serving/random_recordings.hpp"

namespace tapedeck {

using test::RandomRecordings;

namespace {

constexpr IndexDigest identity{'i', 'd'};

// What an index says of one key, as a text.
std::string told_of(const RecordingIndex& index, const KeyedRecordings& key) {
  std::string text(index.text_of(key));
  text += (key.flags & KeyedRecordings::single_session) != 0 ? "one session\n" : "several sessions\n";
  const auto all = index.recordings_of(key);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto recording = all[i];
    const auto negotiation = index.negotiation_of(recording);
    text += std::to_string(recording.row.exchange_id) + " take " + std::to_string(recording.row.take_ordinal) + " " +
            std::to_string(recording.row.status) + " " + std::string(index.session_of(recording));
    for (const auto part : {negotiation.accept, negotiation.accept_encoding, negotiation.validators,
                            negotiation.media_type, negotiation.content_coding}) {
      text.append("|").append(part);
    }
    text += '\n';
  }
  return text;
}

IndexBuilder built_from(const std::vector<StoredExchange>& exchanges) {
  static const MatchKeyMaker keys({});
  IndexBuilder builder(4711);
  for (const auto& stored : exchanges) builder.insert(keys.make(stored.exchange.request), stored);
  builder.finish(TakeLineage(RandomRecordings::takes()));
  return builder;
}

std::string bytes_of_image(const IndexBuilder& builder) {
  std::string bytes;
  builder.write(identity, [&](std::string_view piece) {
    bytes += piece;
    return true;
  });
  return bytes;
}

// A copy that begins where an image has to.
IndexBytes placed(const std::string& bytes) {
  const std::shared_ptr<std::uint64_t[]> words(new std::uint64_t[bytes.size() / 8 + 1]);
  std::memcpy(words.get(), bytes.data(), bytes.size());
  return {{reinterpret_cast<const char*>(words.get()), bytes.size()}, words};
}

std::map<std::string, std::string> all_told(const RecordingIndex& index) {
  std::map<std::string, std::string> told;
  for (const auto& key : index.built_keys()) told[std::string(index.text_of(key))] = told_of(index, key);
  return told;
}

}  // namespace

TEST_CASE("an index leads from each key to its winning recordings, in serving order") {
  const auto exchanges = RandomRecordings(test::printed_seed()).exchanges(2000);
  const MatchKeyMaker keys({});
  std::map<std::string, std::vector<const StoredExchange*>> by_key;
  for (const auto& stored : exchanges) by_key[keys.make(stored.exchange.request).text()].push_back(&stored);

  const TakeLineage lineage(RandomRecordings::takes());
  const RecordingIndex index(IndexImage::of(built_from(exchanges).image(identity), identity, {}));
  CHECK(index.exchange_count() == exchanges.size());
  CHECK(index.built_keys().size() == by_key.size());
  for (const auto& [text, members] : by_key) {
    std::vector<PrecedenceRow> rows;
    for (const auto* stored : members) {
      const auto& exchange = stored->exchange;
      rows.push_back(
          {stored->take_ordinal, exchange.session, exchange.finished_number, index_entry_of(*stored)->partial});
    }
    std::vector<std::int64_t> expected;
    for (const auto& sequence : serving_order(lineage, rows)) {
      for (const auto row : sequence.rows) expected.push_back(members[row]->id);
    }
    const auto* found = index.find(text);
    REQUIRE(found != nullptr);
    const auto all = index.recordings_of(*found);
    std::vector<std::int64_t> actual;
    for (std::size_t i = 0; i < all.size(); ++i) {
      actual.push_back(all[i].row.exchange_id);
      const auto& exchange = exchanges[static_cast<std::size_t>(actual.back()) - 1].exchange;
      CHECK(index.session_of(all[i]) == exchange.session);
      CHECK(index.negotiation_of(all[i]) ==
            index_entry_of(exchanges[static_cast<std::size_t>(actual.back()) - 1])->negotiation.view());
    }
    CHECK(actual == expected);
    CHECK(index.find(text + "x") == nullptr);
  }
  const auto in_order = index.keys_around("", "", by_key.size());
  CHECK(std::is_sorted(in_order.begin(), in_order.end(), [&](const auto* left, const auto* right) {
    return index.text_of(*left) < index.text_of(*right);
  }));
}

TEST_CASE("an index of nothing answers nothing") {
  const RecordingIndex index(IndexImage::of(built_from({}).image(identity), identity, {}));
  CHECK(index.exchange_count() == 0);
  CHECK(index.find("anything") == nullptr);
  CHECK(index.keys_around("a", "", 10).empty());
  CHECK(index.origins().empty());
}

TEST_CASE("an image that is cut, of something else, or has any other byte in its header is none") {
  const auto bytes = bytes_of_image(built_from(RandomRecordings(1).exchanges(200)));
  REQUIRE(IndexImage::of(placed(bytes), identity, {}) != nullptr);
  CHECK(IndexImage::of(placed(bytes), IndexDigest{'x'}, {}) == nullptr);
  for (std::size_t at = 0; at < sizeof(IndexHeader); ++at) {
    CAPTURE(at);
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK(IndexImage::of(placed(damaged), identity, {}) == nullptr);
    CHECK(IndexImage::of(placed(bytes.substr(0, at)), identity, {}) == nullptr);
  }
  CHECK(IndexImage::of(placed(bytes.substr(0, bytes.size() - 1)), identity, {}) == nullptr);
  CHECK(IndexImage::of(placed(bytes + "x"), identity, {}) == nullptr);
}

// Someone who writes the digest anew can say anything of the sections, but not lead out of the image.
TEST_CASE("sections that leave the image are refused") {
  const auto bytes = bytes_of_image(built_from(RandomRecordings(1).exchanges(200)));
  const auto accepted = [&](const std::function<void(IndexHeader&)>& change) {
    IndexHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header);
    header.digest = digest_of(header);
    auto changed = bytes;
    std::memcpy(changed.data(), &header, sizeof header);
    return IndexImage::of(placed(changed), identity, {}) != nullptr;
  };
  CHECK(accepted([](IndexHeader&) {}));
  for (const auto section : {&IndexHeader::slots, &IndexHeader::keys, &IndexHeader::recordings, &IndexHeader::sessions,
                             &IndexHeader::negotiations, &IndexHeader::origins, &IndexHeader::texts}) {
    for (const std::uint64_t huge : {std::uint64_t{1} << 32, std::uint64_t{1} << 60, UINT64_MAX}) {
      CHECK_FALSE(accepted([&](IndexHeader& header) { (header.*section).count = huge; }));
      CHECK_FALSE(accepted([&](IndexHeader& header) { (header.*section).at = huge; }));
    }
    if (section != &IndexHeader::texts) CHECK_FALSE(accepted([&](IndexHeader& header) { (header.*section).at += 1; }));
  }
  CHECK_FALSE(accepted([](IndexHeader& header) { header.slots.count -= 1; }));
  CHECK_FALSE(accepted([](IndexHeader& header) { header.slots.count = 0; }));
}

TEST_CASE("whatever byte is damaged, a key is answered as it was written or not at all, and the damage is told once") {
  RandomRecordings random(test::printed_seed());
  const auto bytes = bytes_of_image(built_from(random.exchanges(600)));
  const auto told = all_told(RecordingIndex(IndexImage::of(placed(bytes), identity, {})));
  for (int round = 0; round < 1500; ++round) {
    auto damaged = bytes;
    const auto flips = 1 + random.below(4);
    for (auto left = flips; left > 0; --left) {
      const auto at = sizeof(IndexHeader) + random.below(bytes.size() - sizeof(IndexHeader));
      damaged[at] = static_cast<char>(damaged[at] ^ (1 + random.below(255)));
    }
    int damage_told = 0;
    const RecordingIndex index(IndexImage::of(placed(damaged), identity, [&] { ++damage_told; }));
    std::size_t lost = 0;
    for (const auto& [text, expected] : told) {
      const auto* found = index.find(text);
      if (found == nullptr)
        ++lost;
      else if (told_of(index, *found) != expected)
        FAIL(told_of(index, *found) << "instead of\n" << expected);
    }
    // Two at once, in a slot and in a text that the search by order meets, can hide a key from both ways to it.
    if (lost > 0 && flips == 1) CHECK(damage_told == 1);
    for (const auto* key : index.keys_around("origin https://b.io", "origin", 1000)) {
      CHECK(told_of(index, *key) == told.at(std::string(index.text_of(*key))));
    }
    for (const auto& origin : index.origins()) CHECK((origin == "https://api.roaring.io" || origin == "https://b.io"));
    CHECK(damage_told <= 1);
  }
}

TEST_CASE("a table without a free slot ends") {
  auto bytes = bytes_of_image(built_from(RandomRecordings(1).exchanges(200)));
  IndexHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::uint64_t slot = 0; slot < header.slots.count; ++slot) {
    const std::uint32_t first_key = 1;
    std::memcpy(bytes.data() + header.slots.at + slot * sizeof first_key, &first_key, sizeof first_key);
  }
  const RecordingIndex index(IndexImage::of(placed(bytes), identity, {}));
  CHECK(index.find("nothing of the kind") == nullptr);
  for (const auto& key : index.built_keys()) CHECK(index.find(index.text_of(key)) == &key);
}

}  // namespace tapedeck
