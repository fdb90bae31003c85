#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tapedeck {

// One place in which two JSON texts differ; an absent side is empty with its flag off. The path reads
// "$.companyIds[1]" or "$[\"odd key\"]".
struct JsonDifference {
  std::string path;
  bool left_present = true;
  std::string_view left;  // raw text
  bool right_present = true;
  std::string_view right;
};

// Hands out every difference of two canonical JSON texts (canonical_json.hpp); false when one is not JSON.
bool for_each_json_difference(std::string_view left, std::string_view right,
                              const std::function<void(const JsonDifference&)>& visit);

}  // namespace tapedeck
