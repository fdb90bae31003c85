#pragma once

#include <optional>
#include <string_view>

#include "storage/redaction/event_stream_secrets.hpp"
#include "storage/redaction/multipart_secrets.hpp"
#include "storage/redaction/text_secrets.hpp"

namespace tapedeck {

// Finds the secrets of a body, without its content coding, by the rules for its type.
class BodyFinder {
 public:
  BodyFinder(std::string_view content_type, const RuleScope& scope);
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  std::optional<TextFinder> text_;
  std::optional<MultipartFinder> multipart_;
  std::optional<EventStreamFinder> events_;
};

}  // namespace tapedeck
