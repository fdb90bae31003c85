#include "replay/matching/body_key.hpp"

#include <algorithm>
#include <optional>

#include "config/options.hpp"
#include "replay/matching/body_digest.hpp"
#include "replay/matching/canonical_json.hpp"
#include "replay/matching/multipart.hpp"
#include "replay/matching/url_normalisation.hpp"
#include "storage/redaction/content_coding.hpp"

namespace tapedeck {

namespace {

// Taking JSON or a form apart costs some twenty times its size for a moment, so only bodies up to this size are.
constexpr std::size_t structured_bytes_max = 4 * 1024 * 1024;
// Keys of all recordings are in memory. A longer canonical form is stood for by its digest.
constexpr std::size_t key_body_bytes_max = 64 * 1024;

std::string within_bounds(std::string canonical) {
  return canonical.size() <= key_body_bytes_max ? std::move(canonical) : digest_and_size(canonical);
}

std::string content_encoding_of(const Headers& headers) {
  std::string codings;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto field = headers[i];
    if (!equal_without_case(field.name, "Content-Encoding")) continue;
    if (!codings.empty()) codings += ", ";
    codings += field.value;
  }
  return codings;
}

// The body without its content coding; `storage` holds it where one was undone. nullopt when it cannot be.
std::optional<std::string_view> uncoded_body(const Request& request, std::string& storage) {
  const std::string_view bytes = request.body.bytes;
  const auto codings = content_encoding_of(request.headers);
  if (codings.empty() || request.body.form == BodyForm::identity) return bytes;
  const auto coding = content_coding_of(codings);
  if (coding == ContentCoding::identity) return bytes;
  if (!coding) return std::nullopt;
  auto decoded = decode_content(*coding, bytes, Limits{}.decoded_body_bytes_max);
  if (!decoded) return std::nullopt;
  storage = std::move(*decoded);
  return storage;
}

bool is_json(std::string_view media_type) {
  return media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json");
}

std::string form_body(std::string_view bytes, const std::vector<std::string>& ignored_keys) {
  std::string body;
  for (const auto& pair : normalised_pairs(bytes)) {
    if (std::find(ignored_keys.begin(), ignored_keys.end(), decoded_pair(pair).key) != ignored_keys.end()) continue;
    if (!body.empty()) body += '&';
    body += pair;
  }
  return body;
}

}  // namespace

std::string media_type_of(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const auto begin = content_type.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  std::string type(content_type.substr(begin, content_type.find_last_not_of(" \t") - begin + 1));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return type;
}

BodyKey body_key_of(const Request& request, const IgnoredKeys& ignored) {
  if (request.body.bytes.empty()) return {};
  std::string storage;
  const auto bytes = uncoded_body(request, storage);
  if (!bytes) return {"bytes", digest_and_size(request.body.bytes)};
  const auto content_type = request.headers.find("Content-Type").value_or("");
  const auto media_type = media_type_of(content_type);
  if (media_type.starts_with("multipart/")) {
    if (auto parts = canonical_multipart(content_type, *bytes)) return {"multipart", within_bounds(std::move(*parts))};
  }
  if (bytes->size() <= structured_bytes_max) {
    if (is_json(media_type)) {
      if (auto json = canonical_json(*bytes, ignored.json)) return {"json", within_bounds(std::move(*json))};
    } else if (media_type == "application/x-www-form-urlencoded") {
      return {"form", within_bounds(form_body(*bytes, ignored.form))};
    }
  }
  return {"bytes", digest_and_size(*bytes)};
}

BodyKeyStream::BodyKeyStream(const Headers& request_headers) {
  const auto coding = content_coding_of(content_encoding_of(request_headers));
  decodable_ = coding.has_value();
  if (coding) decoder_ = make_decoder(*coding);
  const auto content_type = request_headers.find("Content-Type").value_or("");
  if (media_type_of(content_type).starts_with("multipart/")) multipart_.emplace(content_type);
}

void BodyKeyStream::add(std::string_view bytes) {
  if (!decodable_) return bytes_.add(bytes);
  if (!decoder_) return add_text(bytes);
  bytes_.add(bytes);
  std::string text;
  auto state = ContentDecoder::State::working;
  while (state == ContentDecoder::State::working) {
    state = decoder_->decode(bytes, text);
    add_text(text);
    text.clear();
  }
  if (state == ContentDecoder::State::corrupt || (state == ContentDecoder::State::ended && !bytes.empty())) {
    decodable_ = false;
  }
  ended_ = state == ContentDecoder::State::ended;
}

void BodyKeyStream::add_text(std::string_view text) {
  text_.add(text);
  if (multipart_) multipart_->add(text);
}

BodyKey BodyKeyStream::finish() {
  const bool is_text = decodable_ && (!decoder_ || ended_);
  if (is_text && multipart_) {
    if (auto parts = multipart_->finish()) return {"multipart", within_bounds(std::move(*parts))};
  }
  auto& digest = is_text ? text_ : bytes_;
  return {"bytes", digest_text(digest.sha256.finish(), digest.size)};
}

}  // namespace tapedeck
