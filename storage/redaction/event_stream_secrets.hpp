#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "storage/redaction/text_secrets.hpp"

namespace tapedeck {

// Finds secrets in server-sent events: the data of each line is a text of its own, and so are the lines between two of
// data together, since the body need not be what it is called.
class EventStreamFinder {
 public:
  explicit EventStreamFinder(const RuleScope& scope) : scope_(scope), finder_(std::in_place, BodyKind::text, scope) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  enum class Inside { line_ends, other_lines, data };

  bool between(std::size_t& at);
  bool other_lines(std::size_t& at, bool last, TextEdits& edits);
  bool data(std::size_t& at, bool last, TextEdits& edits);
  std::size_t look_through(std::size_t begin, std::size_t end, bool ended, TextEdits& edits);
  std::size_t next_data(std::size_t at) const;
  void open(Inside inside);

  RuleScope scope_;
  std::string_view text_;  // the window
  Inside inside_ = Inside::other_lines;
  bool line_begins_ = true;           // at the window's first byte
  std::optional<TextFinder> finder_;  // of the text that is open
};

}  // namespace tapedeck
