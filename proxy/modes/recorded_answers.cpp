#include "proxy/modes/recorded_answers.hpp"

#include <array>
#include <charconv>

#include "proxy/modes/problem.hpp"

namespace tapedeck {

namespace {

// What an entry of the memo takes beside its key and the conditions, about.
constexpr std::size_t remembered_bytes = 300;

std::size_t bytes_of(const RequestConditions& conditions) {
  return conditions.accept.size() + conditions.accept_encoding.size() + conditions.validators.size();
}

MissReport unreadable(std::string request_line) {
  auto report =
      miss_of(std::move(request_line),
              "the recording cannot be read from the cassette; `tapedeck list` says whether the file is whole");
  report.is_unreadable = true;
  return report;
}

}  // namespace

RecordedAnswers::RecordedAnswers(ReplayServices& services, std::unique_ptr<TurnReader> reader,
                                 std::size_t cache_bytes_max)
    : services_(services),
      reader_(std::move(reader)),
      images_(cache_bytes_max - cache_bytes_max / 4),
      memo_bytes_max_(cache_bytes_max / 4) {
}

std::shared_ptr<const WireImage> RecordedAnswers::known_answer(std::string_view identity) {
  const auto found = memo_.find(identity);
  return found == memo_.end() ? nullptr : only_answer(found->second);
}

Choice RecordedAnswers::answer_at_once(const IncomingRequest& request) {
  if (request.has_body() || !request.head.keep_alive() || request.head.version_minor == 0) return {};
  const auto known = memo_.find(request.identity);
  return known == memo_.end() ? answer_new(request) : choose(known->second, request);
}

// The one there is, if it is in memory.
std::shared_ptr<const WireImage> RecordedAnswers::only_answer(const Remembered& known) {
  if (!known.only_choice || known.additions != services_.library.additions()) return nullptr;
  auto image = known.image.lock();
  if (!image || image->is_long()) return nullptr;
  image->served_lately = true;
  known.only_choice->uses->fetch_add(1, std::memory_order_relaxed);
  services_.statistics.count_hit();
  return image;
}

// Nothing: none of the recordings is eligible, or all are used up.
Choice RecordedAnswers::choose(Remembered& known, const IncomingRequest& request) {
  known.only_choice.reset();
  known.image.reset();
  known.additions = services_.library.additions();
  const auto next = services_.library.next(*known.recordings, request.session, known.conditions);
  const auto* hit = std::get_if<Hit>(&next);
  if (!hit) return {};
  auto found = image_of(hit->exchange_id, request.served_context());
  if (!found.image) return unreadable(line_of(request.to_request()));
  if (hit->only_choice) known.only_choice = *hit;
  if (found.is_kept) known.image = found.image;
  services_.statistics.count_hit();
  return std::move(found.image);
}

// A miss is left to answer(), which explains it, unless it is a recording that cannot be read. As long as its image is
// not kept, a request is not worth a place in the memo either. A long answer takes so long that looking for it does not
// count.
Choice RecordedAnswers::answer_new(const IncomingRequest& incoming) {
  auto request = incoming.to_request();
  Remembered known;
  known.conditions = conditions_of(request.headers);
  const auto looked_up = look_up(request, std::nullopt);
  if (!looked_up || looked_up->recordings == nullptr) return {};
  known.recordings = looked_up->recordings;
  auto answer = choose(known, incoming);
  const auto image = known.image.lock();
  if (image && !image->is_long()) remember(incoming.identity, std::move(known));
  return answer;
}

// What comes for the second time: there are clients that send something else with each request, such as the time. When
// the memo is full all of it goes: what is asked for again comes back soon, and no order has to be kept.
void RecordedAnswers::remember(std::string_view identity, Remembered known) {
  if (identity.empty() || identity.size() > memo_bytes_max_ / 8 || !asked_lately_.comes_again(identity)) return;
  const auto bytes = identity.size() + bytes_of(known.conditions) + remembered_bytes;
  if (memo_bytes_ + bytes > memo_bytes_max_) {
    memo_.clear();
    memo_bytes_ = 0;
  }
  memo_bytes_ += bytes;
  memo_.emplace(identity, std::move(known));
}

// Redacts the request.
Result<RecordedAnswers::LookedUp> RecordedAnswers::look_up(Request& request, std::optional<BodyKey> long_body) {
  if (auto redacted = services_.redactor.redact_request(request); !redacted) return redacted.error();
  LookedUp found;
  found.key = long_body ? services_.keys.make(request, std::move(*long_body)) : services_.keys.make(request);
  found.recordings = services_.library.find(found.key);
  if (found.recordings == nullptr && !found.key.body_kind.empty()) {
    found.recordings = services_.library.find(found.key.with_unfinished_body());
  }
  return found;
}

std::string RecordedAnswers::line_of(const Request& request) const {
  return request.method + " " + request.origin.text() +
         services_.redactor.redact_target(request.origin, request.target);
}

RecordedAnswers::Answer RecordedAnswers::answer(Request request, std::optional<BodyKey> long_body,
                                                const RequestFacts& facts) {
  const auto conditions = conditions_of(request.headers);
  const auto looked_up = look_up(request, std::move(long_body));
  if (!looked_up) return miss_of(line_of(request), looked_up.error().detail);
  const auto& [key, recordings] = *looked_up;
  if (recordings == nullptr) return services_.library.explain_miss(key, line_of(request));
  const auto next = services_.library.next(*recordings, facts.session, conditions);
  if (const auto* reason = std::get_if<MissReason>(&next)) {
    auto report = services_.library.explain_miss(key, line_of(request));
    report.reason = *reason;
    return report;
  }
  auto found = image_of(std::get<Hit>(next).exchange_id, facts.served_context());
  if (!found.image) return unreadable(line_of(request));
  services_.statistics.count_hit();
  return std::move(found.image);
}

RecordedAnswers::FoundImage RecordedAnswers::image_of(std::int64_t exchange_id, const ServedContext& context) {
  // Most clients keep their connection and speak HTTP/1.1: only those images are worth keeping.
  const bool usual = !context.close && !context.http_1_0;
  if (usual) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), exchange_id).ptr;
    image_key_.assign(digits.data(), end);
    if (context.reverse)
      image_key_.append(" ").append(context.client_scheme).append(" ").append(context.client_authority);
    if (auto image = images_.find(image_key_)) return {std::move(image), true};
  }
  StoredExchange stored;
  if (!reader_->load_answer(exchange_id, image_body_bytes_max, stored)) return {};
  auto image = std::make_shared<const WireImage>(
      make_wire_image(std::move(stored), context, services_.profiles, services_.options.mark));
  const bool kept = usual && stored.exchange.state != ExchangeState::open && images_.put(image_key_, image);
  return {std::move(image), kept};
}

}  // namespace tapedeck
