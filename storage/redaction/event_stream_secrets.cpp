#include "storage/redaction/event_stream_secrets.hpp"

#include <algorithm>

namespace tapedeck {

std::size_t EventStreamFinder::find(std::string_view window, bool last, TextEdits& edits) {
  constexpr std::string_view data_field = "data:";
  std::size_t at = 0;
  while (at < window.size()) {
    if (!in_line_) {
      const auto beginning = window.substr(at, data_field.size());
      if (beginning.size() < data_field.size() && data_field.starts_with(beginning) && !last) return at;
      in_line_ = true;
      data_.reset();
      if (beginning == data_field) {
        data_.emplace(BodyKind::text, scope_);
        at += data_field.size();
      }
    }
    const auto line_end = std::min(window.find_first_of("\r\n", at), window.size());
    const bool ended = line_end < window.size() || last;
    if (data_) {
      const auto known = edits.size();
      const auto settled = data_->find(window.substr(at, line_end - at), ended, edits);
      shift(edits, known, at);
      if (!ended) return at + settled;
    }
    at = std::min(window.size(), line_end + (ended ? 1 : 0));
    if (ended) in_line_ = false;
  }
  return at;
}

}  // namespace tapedeck
