#include <cerrno>
#include <ostream>
#include <signal.h>

#include "config/text.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/runtime/environment_text.hpp"
#include "proxy/runtime/ready_file.hpp"
#include "proxy/runtime/wrapped_environment.hpp"

namespace tapedeck {

int print_environment(const EnvCommand& command, const Environment& parent, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const Failure& failure) {
    say_failure(err, failure.detail);
    return 1;
  };
  const auto ready = read_ready_file(command.ready_file);
  if (!ready) return fail(ready.error());
  const ProxyAddresses addresses{ready->proxy_url,   ready->base_url,         ready->admin_url,   ready->ca_file,
                                 ready->bundle_file, ready->java_trust_store, ready->recorded_at, ready->intercepted};
  const auto text = format_environment(proxy_variables(parent, addresses, command.options), command.format);
  if (!text) return fail(text.error());
  // In another container its number means nothing here, so this is a warning only.
  if (::kill(ready->pid, 0) != 0 && errno == ESRCH) {
    err << "tapedeck: warning: no process " << ready->pid << " is running here, which "
        << printable(command.ready_file.string()) << " names; start tapedeck again if it has ended\n";
  }
  out << *text;
  return 0;
}

}  // namespace tapedeck
