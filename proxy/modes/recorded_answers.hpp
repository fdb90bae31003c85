#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "proxy/modes/exchange_handler.hpp"
#include "proxy/modes/turn_reader.hpp"
#include "proxy/modes/wire_image.hpp"
#include "proxy/runtime/run_statistics.hpp"
#include "replay/serving/replay_session.hpp"
#include "storage/redaction/redactor.hpp"

namespace tapedeck {

// What answering from the cassette needs and all workers share.
struct ReplayServices {
  const Options& options;
  const Redactor& redactor;
  const MatchKeyMaker& keys;
  const std::vector<Profile>& profiles;
  ReplayLibrary& library;
  RunStatistics& statistics;
};

// Finds the recorded answer to a request. One object a worker: it has a reader and caches of its own, so that a hit
// takes no lock but a cursor's. The memo leads from the identity of a bodiless request straight to its recordings.
class RecordedAnswers {
 public:
  // `cache_bytes_max` is for images and for the memo, which takes a quarter of it.
  RecordedAnswers(ReplayServices& services, std::unique_ptr<TurnReader> reader, std::size_t cache_bytes_max);

  using Answer = std::variant<Image, MissReport>;

  // The hot path, see ExchangeHandler.
  std::shared_ptr<const WireImage> known_answer(std::string_view identity);
  // For a bodiless request of a kept-alive connection. Nothing yet sends it to answer(); no cursor was moved then. The
  // only miss is a recording that was chosen and cannot be read.
  Choice answer_at_once(const IncomingRequest& request);
  // Any request with its body, or with the key of a body that was too large to be held; redacts it, derives its key and
  // looks that up.
  Answer answer(Request request, std::optional<BodyKey> long_body, const RequestFacts& facts);
  // As it stands in reports: the target is redacted here; what stands in place of a secret stays as it is.
  std::string line_of(const Request& request) const;
  // A piece of a body that an image leaves in the cassette, see CassetteReader::load_piece.
  Result<void> load_piece(const StoredBody& body, std::uint64_t n, std::string& bytes) {
    return reader_->load_piece(body, n, bytes);
  }
  std::uint64_t loads() const { return reader_->loads(); }
  // Of images and memo, about.
  std::size_t bytes() const { return images_.bytes() + memo_bytes_; }

 private:
  static constexpr std::uint64_t image_body_bytes_max = 1024 * 1024;  // a larger body is sent from the cassette

  // Of recordings among which there is no choice the answer itself is remembered, as long as none is added to them.
  struct Remembered {
    const KeyedRecordings* recordings = nullptr;
    std::optional<Hit> only_choice;
    std::uint64_t additions = 0;
    std::weak_ptr<const WireImage> image;  // of what was chosen last, if it is kept
    RequestConditions conditions;
  };
  struct LookedUp {
    MatchKey key;
    const KeyedRecordings* recordings = nullptr;  // none have this key
  };
  struct FoundImage {
    std::shared_ptr<const WireImage> image;  // null: the recording cannot be read
    bool is_kept = false;
  };
  struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::shared_ptr<const WireImage> only_answer(const Remembered& known);
  Choice choose(Remembered& known, const IncomingRequest& request);
  Choice answer_new(const IncomingRequest& incoming);
  void remember(std::string_view identity, Remembered known);
  Result<LookedUp> look_up(Request& request, std::optional<BodyKey> long_body);
  FoundImage image_of(std::int64_t exchange_id, const ServedContext& context);

  ReplayServices& services_;
  std::unique_ptr<TurnReader> reader_;
  WireImageCache images_;
  std::unordered_map<std::string, Remembered, StringHash, std::equal_to<>> memo_;
  std::size_t memo_bytes_max_;
  std::size_t memo_bytes_ = 0;
  SeenLately asked_lately_;
  std::string image_key_;
};

}  // namespace tapedeck
