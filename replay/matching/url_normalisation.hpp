#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// URLs as matching compares them. Any bytes are taken: what the grammar does not allow is percent-encoded, and a `%`
// that starts no escape stands for itself.

struct SplitTarget {
  std::string_view path;
  std::string_view query;  // without the `?`
};
SplitTarget split_target(std::string_view target);

// RFC 3986 §6.2.2: escapes of unreserved characters undone, others in upper case, dot segments removed. A trailing
// slash and double slashes are kept. An empty path is `/`; `*` (OPTIONS of a whole origin) stays.
std::string normalised_path(std::string_view path);

// The pairs of a query or of a form body as a sorted multiset. Each is decoded (`+` is a space) and coded again in one
// way, so that `%5B%5D` equals `[]`. Empty pieces between two `&` are dropped. `a` and `a=` stay different: a server
// may tell them apart, and a miss that is explained is better than a wrong hit.
std::vector<std::string> normalised_pairs(std::string_view text);

// The decoded parts of one pair that normalised_pairs gave. `has_value` is false for a key without `=`.
struct DecodedPair {
  std::string key;
  bool has_value = false;
  std::string value;
};
DecodedPair decoded_pair(std::string_view coded);

}  // namespace tapedeck
