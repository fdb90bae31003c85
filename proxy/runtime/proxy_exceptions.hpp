#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

// The no_proxy of a wrapped command: which hosts its clients ask without the proxy. `parent` is the list that there
// was, entries divided by commas or spaces; `intercepted` the globs of the hosts that are recorded or replayed, as
// --host takes them. The parent's entries are kept, each once, but for those that would lead past us to an intercepted
// host. Loopback names follow; with `proxy_localhost` there are none, and the parent's are left out.
std::string proxy_exceptions(std::string_view parent, const std::vector<std::string>& intercepted,
                             bool proxy_localhost);

}  // namespace tapedeck
