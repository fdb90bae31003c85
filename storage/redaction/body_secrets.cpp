#include "storage/redaction/body_secrets.hpp"

#include <algorithm>

#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/json_secrets.hpp"
#include "storage/redaction/pair_secrets.hpp"

namespace tapedeck {

namespace {

enum class BodyKind { form, text, opaque };

bool starts_without_case(std::string_view text, std::string_view beginning) {
  return equal_without_case(text.substr(0, beginning.size()), beginning);
}

// A type only says what to try first: JSON is sent as text, as octets and as a form, and the other way round.
BodyKind kind_of(std::string_view content_type) {
  constexpr std::string_view opaque[] = {"image/",
                                         "audio/",
                                         "video/",
                                         "font/",
                                         "application/pdf",
                                         "application/zip",
                                         "application/gzip",
                                         "application/x-gzip",
                                         "application/wasm",
                                         "application/grpc",
                                         "application/x-protobuf",
                                         "application/protobuf"};
  if (starts_without_case(content_type, "image/svg")) return BodyKind::text;
  for (const auto type : opaque) {
    if (starts_without_case(content_type, type)) return BodyKind::opaque;
  }
  return starts_without_case(content_type, "application/x-www-form-urlencoded") ? BodyKind::form : BodyKind::text;
}

void find_in_text(std::string_view text, BodyKind kind, const RuleScope& scope, TextEdits& edits) {
  if (kind == BodyKind::opaque) return;
  const PairScan pairs{scope, SecretPlace::form, false, false};
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  const std::size_t mark = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  const auto first = std::min(text.find_first_not_of(" \t\r\n\x1e", mark), text.size());
  if (first == text.size()) return;
  if (text[first] == '{' || text[first] == '[' || text[first] == '"') {
    const auto known = edits.size();
    const bool is_json = find_json_secrets(text.substr(first), scope, edits);
    for (auto edit = edits.begin() + static_cast<std::ptrdiff_t>(known); edit != edits.end(); ++edit) {
      edit->begin += first;
      edit->end += first;
    }
    if (is_json || kind != BodyKind::form) return;
  }
  if (kind == BodyKind::form || looks_like_form(text)) return find_pair_secrets(text, 0, text.size(), pairs, edits);
  find_loose_json_secrets(text, 0, scope, edits);
}

// Names come from outside, so only known ones are repeated.
std::string_view coding_name(std::string_view content_encoding) {
  for (const std::string_view name : {"gzip", "x-gzip", "deflate", "br", "zstd", "compress"}) {
    if (equal_without_case(content_encoding, name)) return name;
  }
  return "coding";
}

bool replace_in(std::string& bytes, BodyKind kind, const RuleScope& scope, Tally* tally) {
  TextEdits edits;
  find_in_text(bytes, kind, scope, edits);
  if (edits.empty()) return false;
  bytes = edited(bytes, edits);
  if (tally != nullptr) tally->add(edits);
  return true;
}

// All Content-Encoding fields as one value: several of them are a list, which is not undone.
std::string_view content_encoding_of(const Headers& headers) {
  std::string_view value;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!equal_without_case(headers[i].name, "content-encoding")) continue;
    if (!value.empty()) return ",";
    value = headers[i].value;
  }
  return value;
}

void note(Tally* tally, const char* what, std::string_view coding) {
  if (tally != nullptr) tally->add(what + std::string(coding_name(coding)));
}

}  // namespace

Result<bool> redact_body(const Headers& headers, Body& body, const RuleScope& scope, std::size_t decoded_bytes_max,
                         Tally* tally) {
  if (body.bytes.empty()) return false;
  const auto kind = kind_of(headers.find("content-type").value_or(""));
  if (kind == BodyKind::opaque) return false;
  const auto encoding = content_encoding_of(headers);
  const auto coding = content_coding_of(encoding);
  const auto edit_bytes = [&] {
    const bool changed = replace_in(body.bytes, kind, scope, tally);
    if (changed) body.form = BodyForm::edited;
    return changed;
  };
  if (coding == ContentCoding::identity) return edit_bytes();
  if (!coding) {
    note(tally, "undecoded ", encoding);
    return edit_bytes();
  }
  auto decoded = decode_content_prefix(*coding, body.bytes, decoded_bytes_max);
  if (decoded.end == DecodedPrefix::End::too_large) {
    return Failure{
        "redaction-impossible", Blame::us,
        "a body is over " + std::to_string(decoded_bytes_max) +
            " bytes when its content coding is undone, so it cannot be searched for secrets and is not kept"};
  }
  const bool whole = decoded.end == DecodedPrefix::End::whole;
  if (!whole) note(tally, "undecodable ", encoding);
  if (replace_in(decoded.text, kind, scope, tally)) {
    body.bytes = encode_content(*coding, decoded.text, whole ? CodedEnd::closed : CodedEnd::open);
    body.form = BodyForm::edited;
    return true;
  }
  return whole ? false : edit_bytes();
}

}  // namespace tapedeck
