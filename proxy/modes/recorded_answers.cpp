#include "proxy/modes/recorded_answers.hpp"

#include <array>
#include <charconv>

#include "proxy/modes/problem.hpp"

namespace tapedeck {

namespace {

// The fields that matching, eligibility and the served head look at.
constexpr std::array<std::string_view, 9> deciding_fields{"Host",          "Range",
                                                          "Accept",        "Accept-Encoding",
                                                          "If-None-Match", "If-Modified-Since",
                                                          "If-Match",      "If-Unmodified-Since",
                                                          "Content-Type"};

bool is_deciding(std::string_view name) {
  for (const auto field : deciding_fields) {
    if (field.size() == name.size() && equal_without_case(field, name)) return true;
  }
  return false;
}

}  // namespace

RecordedAnswers::RecordedAnswers(ReplayServices& services, std::unique_ptr<CassetteReader> reader,
                                 std::size_t cache_bytes_max)
    : services_(services), reader_(std::move(reader)), images_(cache_bytes_max) {
}

// Control characters cannot be in a scanned head, so that line feeds separate the parts beyond doubt.
const std::string& RecordedAnswers::memo_key(const IncomingRequest& request) {
  memo_key_.clear();
  memo_key_.append(request.session).append("\n").append(request.origin.scheme).append("\n");
  memo_key_.append(request.origin.host).append("\n").append(std::to_string(request.origin.port)).append("\n");
  memo_key_.append(request.reverse ? "r" : "f").append(request.client_scheme).append("\n");
  memo_key_.append(request.head.method).append("\n").append(request.target).append("\n");
  for (const auto& field : request.head.fields) {
    if (is_deciding(field.name)) memo_key_.append(field.name).append("\n").append(field.value).append("\n");
  }
  return memo_key_;
}

AtOnce RecordedAnswers::answer_at_once(IncomingRequest& request, std::string& out) {
  auto image = remembered(request);
  if (!image) return AtOnce::no;
  if (image->is_long()) {
    request.chosen = std::move(image);
    return AtOnce::no;
  }
  out += image->bytes;
  return image->close_after ? AtOnce::answered_last : AtOnce::answered;
}

// nullptr when the request is not in the memo.
std::shared_ptr<const WireImage> RecordedAnswers::remembered(const IncomingRequest& request) {
  if (request.has_body() || !request.head.keep_alive() || request.head.version_minor == 0) return nullptr;
  const auto found = memo_.find(std::string_view(memo_key(request)));
  if (found == memo_.end()) return nullptr;
  const auto& [recordings, conditions] = found->second;
  const auto next = services_.library.next(*recordings, request.session, conditions);
  const auto* hit = std::get_if<Hit>(&next);
  if (!hit) return nullptr;
  auto image = image_of(hit->exchange_id, request.served_context());
  if (image) services_.statistics.count_hit();
  return image;
}

RecordedAnswers::Answer RecordedAnswers::answer(Request request, std::optional<BodyKey> long_body,
                                                const RequestFacts& facts, const std::string* remember_as) {
  const auto line =
      request.method + " " + request.origin.text() + services_.redactor.redact_target(request.origin, request.target);
  const auto conditions = conditions_of(request.headers);
  if (auto redacted = services_.redactor.redact_request(request); !redacted) {
    MissReport report;
    report.request_line = line;
    report.detail = redacted.error().detail;
    return report;
  }
  const auto key = long_body ? services_.keys.make(request, std::move(*long_body)) : services_.keys.make(request);
  const auto* recordings = services_.library.find(key);
  if (!recordings && !key.body_kind.empty()) recordings = services_.library.find(key.with_unfinished_body());
  if (!recordings) return services_.library.explain_miss(key, line);
  const auto next = services_.library.next(*recordings, facts.session, conditions);
  if (const auto* reason = std::get_if<MissReason>(&next)) {
    auto report = services_.library.explain_miss(key, line);
    report.reason = *reason;
    return report;
  }
  if (remember_as && memo_.find(*remember_as) == memo_.end()) {
    memo_bytes_ += remember_as->size() + 256;
    if (memo_bytes_ > memo_bytes_max) {
      memo_.clear();
      memo_bytes_ = remember_as->size() + 256;
    }
    memo_.emplace(*remember_as, Remembered{recordings, conditions});
  }
  auto image = image_of(std::get<Hit>(next).exchange_id, facts.served_context());
  if (!image) {
    MissReport report;
    report.request_line = line;
    report.detail = "the recording cannot be read from the cassette; `tapedeck list` says whether the file is whole";
    return report;
  }
  services_.statistics.count_hit();
  return image;
}

std::shared_ptr<const WireImage> RecordedAnswers::image_of(std::int64_t exchange_id, const ServedContext& context) {
  // Most clients keep their connection and speak HTTP/1.1: only those images are worth keeping.
  const bool usual = !context.close && !context.http_1_0;
  if (usual) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), exchange_id).ptr;
    image_key_.assign(digits.data(), end);
    if (context.reverse)
      image_key_.append(" ").append(context.client_scheme).append(" ").append(context.client_authority);
    if (auto image = images_.find(image_key_)) return image;
  }
  const auto stored = reader_->load(exchange_id, {false, true, false, image_body_bytes_max});
  if (!stored) return nullptr;
  auto image =
      std::make_shared<const WireImage>(make_wire_image(*stored, context, services_.profiles, services_.options.mark));
  if (usual) images_.put(image_key_, image);
  return image;
}

}  // namespace tapedeck
