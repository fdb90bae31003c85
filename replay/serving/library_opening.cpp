// How a library comes to be: from an index file, or from the exchanges of a cassette, which leaves a file behind.

#include <malloc.h>
#include <optional>
#include <random>

#include "replay/matching/stored_key.hpp"
#include "replay/serving/index_builder.hpp"
#include "replay/serving/index_folder.hpp"
#include "replay/serving/library_state.hpp"
#include "storage/cassette/environment.hpp"
#include "storage/cassette/sha256.hpp"

namespace tapedeck {

namespace {

constexpr std::uint64_t exchanges_between_progress = 4096;

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

IndexDigest digest_of_text(std::string_view text) {
  const auto computed = sha256(text);
  IndexDigest digest{};
  std::copy(computed.begin(), computed.end(), digest.begin());
  return digest;
}

// Everything that keys and their order depend on but the exchanges themselves.
std::string rules_of(const MatchKeyMaker& keys) {
  return compiled_tool_version() + "\n" + std::to_string(match_key_version) + "\n" + keys.rules_text();
}

IndexDigest identity_of(const CassetteStamp& stamp, const std::string& rules) {
  return digest_of_text(stamp.uuid + "\n" + std::to_string(stamp.file_bytes) + "\n" +
                        std::to_string(stamp.modified_ns) + "\n" + std::to_string(stamp.change_counter) + "\n" + rules);
}

// The same for all states of a cassette, so that a new index takes the place of the one before.
std::string name_of(const CassetteStamp& stamp, const std::string& rules) {
  std::string name = stamp.uuid + "-";
  for (const char c : sha256(rules).substr(0, 8)) {
    const auto byte = static_cast<unsigned char>(c);
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 15];
  }
  return name;
}

Result<IndexBuilder> build_index(CassetteReader& reader, const MatchKeyMaker& keys, const IndexSettings& settings) {
  const auto takes = reader.takes();
  if (!takes) return takes.error();
  std::uint64_t total = 0;
  for (const auto& take : *takes) total += take.exchange_count;
  std::uint64_t done = 0;
  const auto progress = [&] {
    if (settings.on_progress) settings.on_progress(done, total);
  };
  IndexBuilder builder(random_seed());
  ReadParts parts;
  parts.response_bodies = false;
  std::optional<Failure> failure;
  const auto read = reader.for_each(parts, [&](StoredExchange&& stored) {
    if (done++ % exchanges_between_progress == 0) progress();
    const auto key = key_of(stored, reader, keys);
    if (!key)
      failure = key.error();
    else
      builder.insert(*key, stored);
    return !failure;
  });
  if (!read) return read.error();
  if (failure) return *failure;
  builder.finish(TakeLineage(*takes));
  done = total;
  progress();
  return builder;
}

void tell(const std::function<void(const std::string&)>& whom, const std::string& text) {
  if (whom) whom(text);
}

// The index file of one cassette in one state, if it can have one.
class IndexFile {
 public:
  IndexFile(const IndexSettings& settings, CassetteStamp stamp, const std::string& rules)
      : settings_(settings),
        folder_(settings.folder),
        stamp_(std::move(stamp)),
        name_(name_of(stamp_, rules)),
        identity_(identity_of(stamp_, rules)) {}

  std::unique_ptr<const IndexImage> open() const {
    auto bytes = folder_.map(name_);
    if (!bytes) return nullptr;
    auto image = image_in(std::move(*bytes));
    tell(settings_.on_note,
         (image ? "using the key index " : "the cassette or its rules have changed since the key index was made: ") +
             folder_.file(name_).string());
    return image;
  }

  // Writes what was built, unless the cassette has moved on meanwhile; nullptr then, and when it cannot be written.
  std::unique_ptr<const IndexImage> write(const IndexBuilder& builder, CassetteReader& reader) const {
    const auto now = reader.stamp();
    if (!now || *now != stamp_) return nullptr;
    const auto written = folder_.write(name_, builder.image_bytes(),
                                       [&](const IndexSink& sink) { return builder.write(identity_, sink); });
    auto bytes = written ? folder_.map(name_) : std::nullopt;
    tell(settings_.on_note, written ? "made the key index " + folder_.file(name_).string()
                                    : "the key index is kept in memory only: " + written.error().detail);
    return bytes ? image_in(std::move(*bytes)) : nullptr;
  }

 private:
  // nullptr: it is of another state, or not whole.
  std::unique_ptr<const IndexImage> image_in(IndexBytes bytes) const {
    const auto on_damage = [on_damage = settings_.on_damage, folder = folder_, name = name_] {
      folder.drop(name);
      tell(on_damage, "the key index " + folder.file(name).string() +
                          " is damaged, so some recordings may not be found in this run; it is deleted, and the next "
                          "start makes it anew");
    };
    return IndexImage::of(std::move(bytes), identity_, on_damage);
  }

  const IndexSettings& settings_;
  IndexFolder folder_;
  CassetteStamp stamp_;
  std::string name_;
  IndexDigest identity_;
};

// From the cassette; into the file when there is to be one, and it can be written.
Result<std::unique_ptr<const IndexImage>> make_image(CassetteReader& reader, const MatchKeyMaker& keys,
                                                     const IndexSettings& settings, const IndexFile* file) {
  auto builder = build_index(reader, keys, settings);
  if (!builder) return builder.error();
  std::unique_ptr<const IndexImage> image;
  if (file != nullptr && builder->exchange_count() >= settings.file_exchanges_min)
    image = file->write(*builder, reader);
  if (!image) image = IndexImage::of(builder->image({}), {}, {});
  return image;
}

}  // namespace

Result<std::unique_ptr<ReplayLibrary>> ReplayLibrary::open(CassetteReader& reader, const MatchKeyMaker& keys,
                                                           SequencePolicy sequence, const IndexSettings& settings) {
  std::optional<IndexFile> file;
  if (!settings.folder.empty()) {
    auto stamp = reader.stamp();
    if (!stamp) return stamp.error();
    if (*stamp) file.emplace(settings, std::move(**stamp), rules_of(keys));
  }
  auto image = file ? file->open() : nullptr;
  if (!image) {
    auto made = make_image(reader, keys, settings, file ? &*file : nullptr);
    if (!made) return made.error();
    image = std::move(*made);
    // What building took is gone by now; the C library would keep some of it for a process that needs little more.
    ::malloc_trim(0);
  }
  std::unique_ptr<State> state(new State{sequence, RecordingIndex(std::move(image)), {}});
  return std::unique_ptr<ReplayLibrary>(new ReplayLibrary(std::move(state)));
}

Result<std::unique_ptr<ReplayLibrary>> ReplayLibrary::build(CassetteReader& reader, const MatchKeyMaker& keys,
                                                            SequencePolicy sequence) {
  return open(reader, keys, sequence, {});
}

std::unique_ptr<ReplayLibrary> ReplayLibrary::of(const std::vector<Take>& takes,
                                                 const std::vector<StoredExchange>& exchanges,
                                                 const MatchKeyMaker& keys, SequencePolicy sequence) {
  IndexBuilder builder(random_seed());
  for (const auto& stored : exchanges) builder.insert(keys.make(stored.exchange.request), stored);
  builder.finish(TakeLineage(takes));
  auto state =
      std::unique_ptr<State>(new State{sequence, RecordingIndex(IndexImage::of(builder.image({}), {}, {})), {}});
  return std::unique_ptr<ReplayLibrary>(new ReplayLibrary(std::move(state)));
}

}  // namespace tapedeck
