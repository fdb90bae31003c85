// A key index of any bytes is refused or read within its bounds, an undamaged one answers what was recorded, and one
// that was damaged byte by byte answers that or nothing. An input is either a whole image or changes to a good one: a
// fuzzer would not find its way behind the digest of the header alone.

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replay/serving/index_builder.hpp"
#include "replay/serving/recording_index.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/exchange_builder.hpp"

namespace {

using namespace tapedeck;

constexpr IndexDigest identity{'i', 'd'};

MatchKey key_of(const StoredExchange& stored) {
  static const MatchKeyMaker keys({});
  return keys.make(stored.exchange.request);
}

StoredExchange stored(std::int64_t id, std::string_view host, std::string_view target, std::string_view session,
                      std::string_view accepted) {
  test::ExchangeBuilder builder("GET", target);
  builder.origin("https", host, 443).session(session).started_at_us(1000 + id);
  builder.numbers(static_cast<std::uint64_t>(id), static_cast<std::uint64_t>(id));
  if (!accepted.empty()) builder.request_header("Accept-Encoding", accepted);
  StoredExchange made;
  made.id = id;
  made.take_ordinal = 1;
  made.exchange = builder.build();
  return made;
}

// The third key has recordings of two sessions.
const std::vector<StoredExchange>& recorded() {
  static const std::vector<StoredExchange> exchanges{
      stored(1, "a.io", "/1", "default", ""),   stored(2, "a.io", "/2", "default", "br"),
      stored(3, "a.io", "/2", "default", ""),   stored(4, "b.io", "/3", "alice", "gzip"),
      stored(5, "b.io", "/3", "default", "br"), stored(6, "b.io", "/3", "alice", ""),
      stored(7, "b.io", "/token", "bob", ""),
  };
  return exchanges;
}
constexpr std::int64_t served[] = {1, 2, 3, 4, 6, 5, 7};  // key after key, the newest session first

std::string told_of(std::int64_t id, int status, std::string_view session, const Negotiation& negotiation) {
  std::string text = std::to_string(id) + " " + std::to_string(status);
  for (const auto part : {session, negotiation.accept, negotiation.accept_encoding, negotiation.validators,
                          negotiation.media_type, negotiation.content_coding}) {
    text.append("|").append(part);
  }
  return text + "\n";
}

// What an index says of one key.
std::string told_of(const RecordingIndex& index, const KeyedRecordings& key) {
  std::string text;
  const auto all = index.recordings_of(key);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto recording = all[i];
    text += told_of(recording.row.exchange_id, recording.row.status, index.session_of(recording),
                    index.negotiation_of(recording));
  }
  return text;
}

// What it has to say, which no index is asked for; by the texts of the keys.
const std::map<std::string, std::string>& expected() {
  static const auto texts = [] {
    std::map<std::string, std::string> made;
    for (const auto id : served) {
      const auto& one = recorded()[static_cast<std::size_t>(id) - 1];
      const auto entry = index_entry_of(one);
      made[key_of(one).text()] += told_of(id, entry->row.status, one.exchange.session, entry->negotiation.view());
    }
    return made;
  }();
  return texts;
}

std::string make_good_image() {
  IndexBuilder builder(4711);
  for (const auto& one : recorded()) builder.insert(key_of(one), one);
  std::vector<Take> takes(1);
  takes[0].ordinal = 1;
  takes[0].state = TakeState::complete;
  builder.finish(TakeLineage(takes));
  return std::string(builder.image(identity).view);
}

struct Image {
  std::string bytes;
  // Not where someone lied on purpose: in a header that was sealed anew, or with a run of bytes, since a fuzzer sees
  // what check values are compared with and writes them.
  bool tells_the_truth = false;
};

// As someone would who wants it to be believed.
void seal(std::string& bytes) {
  IndexHeader header;
  if (bytes.size() < sizeof header) return;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.image_bytes = bytes.size();
  header.digest = digest_of(header);
  std::memcpy(bytes.data(), &header, sizeof header);
}

Image image_of(fuzz::FuzzInput& input, const std::string& good) {
  enum Kind { whole, changed_bytes, changed_run, kinds };
  const auto kind = input.below(kinds);
  if (kind == whole) return {std::string(input.rest()), false};
  const auto choices = input.byte();
  const bool cut = (choices & 1) != 0;
  const bool sealed = (choices & 2) != 0;
  Image image{good};
  if (cut) image.bytes.resize(input.half_word() % (good.size() + 1));
  const auto place = [&] { return input.half_word() % good.size(); };
  while (kind == changed_bytes && !input.empty()) {
    const auto at = place();
    const auto byte = static_cast<char>(input.byte());
    if (at < image.bytes.size()) image.bytes[at] = byte;
  }
  if (kind == changed_run) {
    const auto at = std::min(place(), image.bytes.size());
    const auto run = input.rest().substr(0, image.bytes.size() - at);
    std::copy(run.begin(), run.end(), image.bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const bool honest = !sealed || image.bytes.starts_with(std::string_view(good).substr(0, sizeof(IndexHeader)));
  image.tells_the_truth = kind == changed_bytes && honest;
  if (sealed) seal(image.bytes);
  return image;
}

// On the heap and not mapped, and no byte longer than the image: there a read behind the end is seen.
IndexBytes placed(const std::string& bytes) {
  const std::shared_ptr<char[]> copy(new char[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return {{copy.get(), bytes.size()}, copy};
}

void check_answers(const RecordingIndex& index, const Image& image) {
  for (const auto& [text, told] : expected()) {
    const auto* found = index.find(text);
    if (found == nullptr) continue;
    TAPEDECK_CHECK(index.text_of(*found) == text);
    const auto answer = told_of(index, *found);
    TAPEDECK_CHECK(!answer.empty());
    if (image.tells_the_truth) TAPEDECK_CHECK(answer == told);
    std::size_t unused = 0;
    index.for_each_unused(*found, [&](const RecordingRow&) { ++unused; });
    TAPEDECK_CHECK(unused == index.recordings_of(*found).size());
  }
  const auto& first_text = expected().begin()->first;
  for (const std::string_view around : {std::string_view(), std::string_view(first_text), std::string_view("\xff")}) {
    for (const auto* key : index.keys_around(around, "", 100)) {
      const std::string text(index.text_of(*key));
      const auto answer = told_of(index, *key);
      if (image.tells_the_truth) TAPEDECK_CHECK(expected().contains(text) && expected().at(text) == answer);
    }
  }
  for (const auto& key : index.built_keys()) {
    if (!index.is_sound(key)) continue;
    const std::string text(index.text_of(key));
    const auto answer = told_of(index, key);
    if (image.tells_the_truth) TAPEDECK_CHECK(expected().contains(text) && expected().at(text) == answer);
  }
  for (const auto& origin : index.origins()) {
    if (image.tells_the_truth) TAPEDECK_CHECK(origin == "https://a.io" || origin == "https://b.io");
  }
}

// The running take goes on with whatever the image has become.
void check_growth(RecordingIndex& index) {
  struct Growth {
    StoredExchange stored;
    MatchKey key = key_of(stored);
    std::string text = key.text();
  };
  static const Growth growths[] = {{recorded()[3]}, {stored(8, "c.io", "/new", "carol", "br")}};
  for (const auto& [one, key, text] : growths) {
    const auto added = index.add(key, one);
    TAPEDECK_CHECK(added.has_value());
    TAPEDECK_CHECK(index.find(text) == added->recordings);
    const auto all = index.recordings_of(*added->recordings);
    TAPEDECK_CHECK(added->position == all.size() - 1);
    TAPEDECK_CHECK(all[added->position].row.exchange_id == one.id);
    TAPEDECK_CHECK(index.session_of(all[added->position]) == one.exchange.session);
  }
  (void)index.keys_around("", "", 100);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string good = make_good_image();
  fuzz::FuzzInput input(data, size);
  const auto image = image_of(input, good);
  const bool undamaged = image.bytes == good;

  int damage_told = 0;
  auto opened = IndexImage::of(placed(image.bytes), identity, [&] { ++damage_told; });
  TAPEDECK_CHECK(opened || !undamaged);
  if (!opened) return 0;
  RecordingIndex index(std::move(opened));
  check_answers(index, image);
  TAPEDECK_CHECK(damage_told <= 1);
  if (undamaged) {
    TAPEDECK_CHECK(damage_told == 0);
    TAPEDECK_CHECK(index.built_keys().size() == expected().size());
    TAPEDECK_CHECK(index.exchange_count() == recorded().size());
    TAPEDECK_CHECK(index.newest_recorded_at_us() == 1007);
    TAPEDECK_CHECK(index.origins().size() == 2);
    for (const auto& [text, told] : expected()) TAPEDECK_CHECK(index.find(text) != nullptr);
  }
  check_growth(index);
  return 0;
}
