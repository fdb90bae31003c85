#include "storage/redaction/text_edits.hpp"

#include <algorithm>

namespace tapedeck {

std::string edited(std::string_view text, TextEdits& edits) {
  std::sort(edits.begin(), edits.end(),
            [](const auto& a, const auto& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
  std::string result;
  result.reserve(text.size());
  std::size_t at = 0;
  std::erase_if(edits, [&](const TextEdit& edit) {
    if (edit.begin < at) return true;
    result.append(text.substr(at, edit.begin - at));
    result.append(edit.percent_coded ? edit.rule->percent_text : edit.rule->text);
    at = edit.end;
    return false;
  });
  result.append(text.substr(at));
  return result;
}

void Tally::add(std::string_view rule) {
  const auto same = std::find_if(counts_.begin(), counts_.end(), [&](const auto& count) { return count.rule == rule; });
  if (same != counts_.end()) {
    ++same->times;
  } else {
    counts_.push_back({std::string(rule), 1});
  }
}

void Tally::add(const TextEdits& edits) {
  for (const auto& edit : edits) add(edit.rule->name);
}

}  // namespace tapedeck
