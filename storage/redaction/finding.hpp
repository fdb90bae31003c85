#pragma once

#include <cstddef>

#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// How the finders of secrets read. Each has
//
//   std::size_t find(std::string_view window, bool last, TextEdits& edits);
//
// which looks through the next part of a text and gives how many of the window's bytes are settled: they may be handed
// out once the edits that were added, which all stand before there, are made. The next window begins behind them. With
// `last` nothing follows and all is settled, so a whole text is one call. Else a finder holds back what it cannot
// decide yet, but not more than this; what is decided later than that is decided by what was seen so far.
constexpr std::size_t held_bytes_max = 64 * 1024;

// Edits of a window that wait until what stands before them is settled. Offsets are those of the window.
class HeldEdits {
 public:
  TextEdits& all() { return held_; }
  // Hands out those before `settled` and moves the others to where they stand in the next window.
  void settle(std::size_t settled, TextEdits& edits) {
    std::size_t kept = 0;
    for (auto& edit : held_) {
      if (edit.begin < settled) {
        edits.push_back(edit);
      } else {
        held_[kept++] = {edit.begin - settled, edit.end - settled, edit.rule, edit.written};
      }
    }
    held_.resize(kept);
  }

 private:
  TextEdits held_;
};

}  // namespace tapedeck
