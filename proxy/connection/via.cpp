#include "proxy/connection/via.hpp"

#include <algorithm>

namespace tapedeck {

bool has_passed_here(const ScannedHead& head, std::string_view pseudonym) {
  return std::any_of(head.fields.begin(), head.fields.end(), [&](const HeaderView& field) {
    return field.name.size() == 3 && equal_without_case(field.name, "via") &&
           field.value.find(pseudonym) != std::string_view::npos;
  });
}

}  // namespace tapedeck
