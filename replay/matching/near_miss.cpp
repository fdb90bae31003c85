#include "replay/matching/near_miss.hpp"

namespace tapedeck {

std::string_view miss_reason_text(MissReason reason) {
  switch (reason) {
    case MissReason::not_intercepted: return "not-intercepted";
    case MissReason::empty_cassette: return "empty-cassette";
    case MissReason::no_host: return "no-host";
    case MissReason::no_path: return "no-path";
    case MissReason::no_method: return "no-method";
    case MissReason::differs: return "differs";
    case MissReason::exhausted: return "exhausted";
  }
  return "differs";
}

}  // namespace tapedeck
