#pragma once

#include <string>
#include <vector>

#include "config/profile.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// The canonical form of a request, by which a recording is found. A function of the rules and this one request. Its
// fields stay apart, so that a near miss can name the one that differs.
struct MatchKey {
  std::string origin;              // Origin::text()
  std::string method;
  std::string path;                // normalised (RFC 3986 §6.2.2), dot segments removed, trailing slash significant
  std::vector<std::string> query;  // "key=value", decoded and coded again in one way, sorted: a multiset
  std::string range;               // value of the Range field
  std::string body_kind;           // "", "json", "form", "bytes"
  std::string body;                // canonical JSON; sorted form pairs; else the bytes' SHA-256 in hex

  // One line a field; equal texts mean equal keys, and no two different keys have the same text.
  std::string text() const;

  friend bool operator==(const MatchKey&, const MatchKey&) = default;
};

// Derives keys. `request` has passed the redactor; `profiles` give the rules of the request's host. Immutable.
class MatchKeyMaker {
 public:
  explicit MatchKeyMaker(std::vector<Profile> profiles);
  MatchKey make(const Request& request) const;

 private:
  std::vector<Profile> profiles_;
};

}  // namespace tapedeck
