#include "storage/redaction/body_finder.hpp"

namespace tapedeck {

BodyFinder::BodyFinder(std::string_view content_type, const RuleScope& scope) {
  const auto kind = kind_of(content_type);
  if (kind == BodyKind::multipart) {
    if (const auto boundary = multipart_boundary(content_type)) multipart_.emplace(*boundary, scope);
  }
  if (kind == BodyKind::event_stream) events_.emplace(scope);
  if (!multipart_ && !events_) text_.emplace(kind, scope);
}

std::size_t BodyFinder::find(std::string_view window, bool last, TextEdits& edits) {
  if (multipart_) return multipart_->find(window, last, edits);
  if (events_) return events_->find(window, last, edits);
  return text_->find(window, last, edits);
}

}  // namespace tapedeck
