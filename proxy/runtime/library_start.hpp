#pragma once

#include <memory>

#include "config/load_options.hpp"
#include "config/options.hpp"
#include "proxy/runtime/log.hpp"
#include "replay/serving/replay_session.hpp"

namespace tapedeck {

// Opens the library with its index file in the user's cache folder. What takes long is shown on standard error: as a
// bar when that is a terminal, else as one line afterwards. `log` outlives the library.
Result<std::unique_ptr<ReplayLibrary>> start_library(CassetteReader& reader, const MatchKeyMaker& keys,
                                                     const Options& options, const Environment& environment, Log& log);

// "  [=========>          ]  47 % of 1000000 exchanges indexed"
std::string progress_bar(std::uint64_t done, std::uint64_t total);

}  // namespace tapedeck
