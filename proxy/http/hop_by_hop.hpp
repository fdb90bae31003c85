#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/exchange/headers.hpp"

namespace tapedeck {

// Which fields of one head end at this hop (RFC 9110 §7.6.1): Connection and what it names, Keep-Alive, Proxy-*, TE,
// Upgrade. Framing fields are not among them, since serialisers write these in their place; nor can Connection name
// away a field that frames, routes, authenticates or says what the body is.
class HopByHop {
 public:
  explicit HopByHop(const Headers& headers);
  bool contains(std::string_view name) const;

 private:
  std::vector<std::string> named_;  // by Connection; lower-case, sorted
};

}  // namespace tapedeck
