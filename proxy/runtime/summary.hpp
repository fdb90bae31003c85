#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "config/result.hpp"
#include "proxy/runtime/run_statistics.hpp"
#include "replay/serving/replay_session.hpp"
#include "replay/serving/take_comparison.hpp"
#include "storage/scan/scan_cassette.hpp"

namespace tapedeck {

struct SummaryInput {
  const Options& options;
  const RunStatistics::Snapshot& statistics;
  std::vector<ReplayLibrary::Unused> unused;
  std::optional<TakeChanges> changes;
  std::optional<ScanTotals> scanned;  // the new take
};

// What a run says about itself at its end, for people.
std::string summary_text(const SummaryInput& input);

// --report FILE: JUnit XML when the name ends in .xml, else JSON.
Result<void> write_report(const std::filesystem::path& file, const SummaryInput& input);
std::string report_json(const SummaryInput& input);
std::string report_junit(const SummaryInput& input);

}  // namespace tapedeck
