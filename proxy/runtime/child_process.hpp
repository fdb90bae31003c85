#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "config/load_options.hpp"
#include "config/result.hpp"
#include "proxy/runtime/environment_text.hpp"
#include "proxy/runtime/wrapped_environment.hpp"

namespace tapedeck {

Environment current_environment();

// Starts `command` with its standard streams our own and in our process group, so that a terminal's interrupt reaches
// it by itself. Failures: command-not-found (exit 127), command-not-executable (126), spawn-failed (125).
Result<pid_t> spawn(const std::vector<std::string>& command, const Environment& environment);

// For the sockets that are open when the command starts, since Asio opens them so that children inherit them: what the
// command leaves running would keep our ports open after our end.
void keep_from_children(int descriptor);

// The exit code of a wait status as the contract wants it: the command's own, or 128+N by signal.
int exit_code_of(int wait_status);

}  // namespace tapedeck
