#include "storage/redaction/body_secrets.hpp"

#include "storage/redaction/body_finder.hpp"
#include "storage/redaction/echoes.hpp"

namespace tapedeck {

namespace {

constexpr int removal_rounds_max = 3;

}  // namespace

std::string_view coding_name(std::string_view content_encoding) {
  for (const std::string_view name : {"gzip", "x-gzip", "deflate", "br", "zstd", "compress"}) {
    if (equal_without_case(content_encoding, name)) return name;
  }
  return "coding";
}

std::string_view content_encoding_of(const Headers& headers) {
  std::string_view value;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!equal_without_case(headers[i].name, "content-encoding")) continue;
    if (!value.empty()) return ",";
    value = headers[i].value;
  }
  return value;
}

Result<BodyRedaction> BodyRedaction::open(const Headers& headers, Body& body, std::size_t decoded_bytes_max,
                                          Tally* tally) {
  BodyRedaction redaction(headers.find("content-type").value_or(""), body);
  if (body.bytes.empty()) return redaction;
  const auto encoding = content_encoding_of(headers);
  const auto coding = content_coding_of(encoding);
  const bool opaque = kind_of(redaction.content_type_) == BodyKind::opaque;
  if (!coding && !opaque && tally != nullptr) tally->add("undecoded " + std::string(coding_name(encoding)));
  if (!coding || coding == ContentCoding::identity) return redaction;
  auto decoded = decode_content_prefix(*coding, body.bytes, decoded_bytes_max);
  if (decoded.end == DecodedPrefix::End::too_large) {
    return Failure{
        "redaction-impossible", Blame::us,
        "a body is over " + std::to_string(decoded_bytes_max) +
            " bytes when its content coding is undone, so it cannot be searched for secrets and is not kept"};
  }
  redaction.coding_ = coding;
  redaction.text_ = std::move(decoded.text);
  redaction.whole_ = decoded.end == DecodedPrefix::End::whole;
  if (!redaction.whole_ && tally != nullptr) tally->add("undecodable " + std::string(coding_name(encoding)));
  return redaction;
}

template <typename Find>
bool BodyRedaction::replace(Find find, Tally* tally, bool learns) {
  const auto replace_in = [&](std::string& text) {
    TextEdits edits;
    find(text, edits);
    if (edits.empty()) return false;
    auto clean = edited(text, edits);
    if (tally != nullptr) tally->add(edits);
    if (tally != nullptr && learns) tally->found(text, edits);
    text = std::move(clean);
    return true;
  };
  const bool in_text = coding_ && replace_in(text_);
  text_changed_ = text_changed_ || in_text;
  if (coding_ && (whole_ || text_changed_)) return in_text;
  const bool in_bytes = replace_in(body_->bytes);
  bytes_changed_ = bytes_changed_ || in_bytes;
  return in_text || in_bytes;
}

void BodyRedaction::apply_rules(const RuleScope& scope, Tally* tally) {
  if (body_->bytes.empty()) return;
  replace([&](std::string_view text, TextEdits& edits) { BodyFinder(content_type_, scope).find(text, true, edits); },
          tally, true);
}

void BodyRedaction::remove_known(const SecretPatterns& patterns, const RuleScope& scope, Tally* tally) {
  if (body_->bytes.empty() || patterns.empty()) return;
  const bool percent_coded = kind_of(content_type_) == BodyKind::form;
  const auto find = [&](std::string_view text, TextEdits& edits) {
    find_echoes(text, patterns, scope.table, percent_coded, edits);
  };
  for (int left = removal_rounds_max; left > 0 && replace(find, tally, false); --left) apply_rules(scope, tally);
}

bool BodyRedaction::close() {
  if (text_changed_) body_->bytes = encode_content(*coding_, text_, whole_ ? CodedEnd::closed : CodedEnd::open);
  if (!text_changed_ && !bytes_changed_) return false;
  body_->form = BodyForm::edited;
  return true;
}

}  // namespace tapedeck
