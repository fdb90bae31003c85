#pragma once

#include <optional>
#include <string_view>

#include "storage/redaction/text_secrets.hpp"

namespace tapedeck {

// Finds secrets in server-sent events: the data of each line is a text of its own.
class EventStreamFinder {
 public:
  explicit EventStreamFinder(const RuleScope& scope) : scope_(scope) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  RuleScope scope_;
  bool in_line_ = false;
  std::optional<TextFinder> data_;  // of the line that is open
};

}  // namespace tapedeck
