#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace tapedeck {

// Tells what comes for a second time, in 16 KiB of memory whatever comes. Most of what is asked for once in a big
// cassette is not asked for again soon: kept all the same it would push out what is, and each answer would be dearer
// for reading memory that is seldom read.
class SeenLately {
 public:
  // Whether `key` came before. It then counts as new again; else it is noted, perhaps in another one's place.
  bool comes_again(std::string_view key);

 private:
  // A key is known by a mark, in one of many sets by its hash.
  static constexpr std::size_t sets = 1'024;
  static constexpr std::size_t marks_in_set = 8;

  std::vector<std::uint16_t> marks_ = std::vector<std::uint16_t>(sets * marks_in_set);  // 0: none
  std::minstd_rand replaced_;
};

}  // namespace tapedeck
