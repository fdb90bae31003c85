#include <ostream>

#include "config/text.hpp"
#include "proxy/cli/commands.hpp"

namespace tapedeck {

void say_failure(std::ostream& err, std::string_view detail) {
  err << "tapedeck: error: " << printable(detail) << '\n';
}

}  // namespace tapedeck
