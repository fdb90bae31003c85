#include "proxy/modes/seen_lately.hpp"

#include <algorithm>
#include <functional>
#include <span>

namespace tapedeck {

// Which mark of a full set goes is left to chance: the eldest belongs to the key that comes next when keys come round
// after round, and none of those would ever come again. Two keys with the same mark are taken for one.
bool SeenLately::comes_again(std::string_view key) {
  constexpr std::uint16_t none = 0;
  const auto hash = std::hash<std::string_view>{}(key);
  const auto mark = static_cast<std::uint16_t>(hash >> 48 | 1);
  const auto set = std::span(marks_).subspan(hash % sets * marks_in_set, marks_in_set);
  if (const auto found = std::find(set.begin(), set.end(), mark); found != set.end()) {
    *found = none;
    return true;
  }
  const auto place = std::find(set.begin(), set.end(), none);
  (place != set.end() ? *place : set[replaced_() % marks_in_set]) = mark;
  return false;
}

}  // namespace tapedeck
