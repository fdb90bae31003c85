#include "storage/redaction/text_secrets.hpp"

#include <algorithm>

#include "storage/exchange/headers.hpp"

namespace tapedeck {

namespace {

bool starts_without_case(std::string_view text, std::string_view beginning) {
  return equal_without_case(text.substr(0, beginning.size()), beginning);
}

}  // namespace

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
  content_type.remove_prefix(std::min(content_type.find_first_not_of(" \t"), content_type.size()));
  if (starts_without_case(content_type, "image/svg")) return BodyKind::text;
  for (const auto type : opaque) {
    if (starts_without_case(content_type, type)) return BodyKind::opaque;
  }
  if (starts_without_case(content_type, "application/x-www-form-urlencoded")) return BodyKind::form;
  if (starts_without_case(content_type, "multipart/")) return BodyKind::multipart;
  return starts_without_case(content_type, "text/event-stream") ? BodyKind::event_stream : BodyKind::text;
}

std::size_t TextFinder::find(std::string_view window, bool last, TextEdits& edits) {
  if (kind_ == BodyKind::opaque) return window.size();
  std::size_t begin = 0;
  if (!json_ && !pairs_ && !loose_ && !choose(window, last, begin)) return begin;
  const auto known = edits.size();
  const auto rest = window.substr(begin);
  const auto settled = json_    ? json_->find(rest, last, edits)
                       : pairs_ ? pairs_->find(rest, last, edits)
                                : loose_->find(rest, last, edits);
  shift(edits, known, begin);
  return begin + settled;
}

// False when more of the text must be there to choose; `begin` is where it begins behind white space.
bool TextFinder::choose(std::string_view window, bool last, std::size_t& begin) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (at_beginning_) {
    if (window.size() < byte_order_mark.size() && byte_order_mark.starts_with(window) && !last) return false;
    if (window.starts_with(byte_order_mark)) begin = byte_order_mark.size();
    at_beginning_ = false;
  }
  const auto mark_end = begin;
  begin = std::min(window.find_first_not_of(" \t\r\n\x1e", begin), window.size());
  space_before_ = space_before_ || begin > mark_end;
  if (begin == window.size()) return false;
  const auto text = window.substr(begin);
  if (text[0] == '{' || text[0] == '[' || text[0] == '"') {
    json_.emplace(scope_, kind_ == BodyKind::form ? JsonFinder::Behind::form : JsonFinder::Behind::loose);
  } else if (kind_ == BodyKind::form) {
    pairs_.emplace(PairScan{scope_, SecretPlace::form, false, false});
  } else if (text.size() < form_beginning_bytes && !last) {
    return false;
  } else if (!space_before_ && looks_like_form(text)) {
    pairs_.emplace(PairScan{scope_, SecretPlace::form, false, false});
  } else {
    loose_.emplace(scope_);
  }
  return true;
}

}  // namespace tapedeck
