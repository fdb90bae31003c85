#pragma once

#include <memory>
#include <string>

#include "config/load_options.hpp"
#include "config/options.hpp"
#include "config/result.hpp"

namespace tapedeck {

class Log;

// One run of record, replay or auto, from opening the cassette to the summary. Returns the exit code of the contract.
// Blocks SIGINT, SIGTERM and SIGHUP for its own handling; a wrapped command gets what we are sent.
int run_proxy(const Options& options, const Environment& environment, Log& log);

}  // namespace tapedeck
