#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// The ways in which a network may deliver `bytes`: whole, byte by byte, and in two pieces for each place to cut.
inline std::vector<std::vector<std::string_view>> splits_of(std::string_view bytes) {
  std::vector<std::vector<std::string_view>> splits = {{bytes}};
  if (bytes.size() < 2) return splits;
  splits.emplace_back();
  for (std::size_t i = 0; i < bytes.size(); ++i) splits[1].push_back(bytes.substr(i, 1));
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) splits.push_back({bytes.substr(0, cut), bytes.substr(cut)});
  return splits;
}

// For failure messages.
inline std::string text_of(const std::vector<std::string_view>& pieces) {
  if (pieces.size() == 2) return "cut at " + std::to_string(pieces[0].size());
  return pieces.size() < 2 ? "whole" : "byte by byte";
}

}  // namespace tapedeck
