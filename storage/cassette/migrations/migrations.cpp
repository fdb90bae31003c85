#include "storage/cassette/migrations/migrations.hpp"

#include <array>
#include <cassert>

#include "storage/cassette/schema.hpp"

namespace tapedeck {

namespace {

using Step = Result<void> (*)(Database&);

// The step at index n leads from format n + 1 to format n + 2, and sets user_version and the meta entries itself.
constexpr std::array<Step, cassette_format - 1> steps{};

}  // namespace

Result<void> migrate(Database& database, std::int64_t from_format) {
  assert(from_format >= 1 && from_format <= cassette_format);
  for (auto format = static_cast<std::size_t>(from_format); format < static_cast<std::size_t>(cassette_format);
       ++format) {
    if (auto migrated = steps.at(format - 1)(database); !migrated) return migrated;
  }
  return {};
}

}  // namespace tapedeck
