#include "storage/redaction/event_stream_secrets.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

constexpr std::string_view data_field = "data:";
constexpr std::string_view line_ends = "\r\n";

bool is_line_end(char c) {
  return c == '\r' || c == '\n';
}

}  // namespace

std::size_t EventStreamFinder::find(std::string_view window, bool last, TextEdits& edits) {
  text_ = window;
  std::size_t at = 0;
  for (bool more = true; more;) {
    switch (inside_) {
      case Inside::line_ends:
        more = between(at);
        break;
      case Inside::other_lines:
        more = other_lines(at, last, edits);
        break;
      case Inside::data:
        more = data(at, last, edits);
        break;
    }
  }
  if (last) return text_.size();
  if (at > 0) line_begins_ = is_line_end(text_[at - 1]);
  return at;
}

bool EventStreamFinder::between(std::size_t& at) {
  at = std::min(text_.find_first_not_of(line_ends, at), text_.size());
  if (at == text_.size()) return false;
  open(Inside::other_lines);
  return true;
}

// Up to the next line of data.
bool EventStreamFinder::other_lines(std::size_t& at, bool last, TextEdits& edits) {
  const auto next = next_data(at);
  const bool found = next < text_.size();
  auto end = next;
  if (found) {  // the line end before it is not part of the text
    if (end > at && text_[end - 1] == '\n') --end;
    if (end > at && text_[end - 1] == '\r') --end;
  } else if (!last) {
    end -= std::min(end - at, line_ends.size() + data_field.size());
  }
  const auto settled = look_through(at, end, found || last, edits);
  if (!found) {
    at = settled;
    return false;
  }
  at = next + data_field.size();
  open(Inside::data);
  return true;
}

bool EventStreamFinder::data(std::size_t& at, bool last, TextEdits& edits) {
  const auto end = std::min(text_.find_first_of(line_ends, at), text_.size());
  const bool ended = end < text_.size();
  at = look_through(at, end, ended || last, edits);
  if (!ended) return false;
  at = end + 1;
  inside_ = Inside::line_ends;
  return true;
}

std::size_t EventStreamFinder::look_through(std::size_t begin, std::size_t end, bool ended, TextEdits& edits) {
  const auto known = edits.size();
  const auto settled = finder_->find(text_.substr(begin, end - begin), ended, edits);
  shift(edits, known, begin);
  return begin + settled;
}

std::size_t EventStreamFinder::next_data(std::size_t at) const {
  for (auto found = text_.find(data_field, at); found != std::string_view::npos;
       found = text_.find(data_field, found + 1)) {
    if (found == 0 ? line_begins_ : is_line_end(text_[found - 1])) return found;
  }
  return text_.size();
}

void EventStreamFinder::open(Inside inside) {
  inside_ = inside;
  finder_.emplace(BodyKind::text, scope_);
}

}  // namespace tapedeck
