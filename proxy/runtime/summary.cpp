#include "proxy/runtime/summary.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

constexpr std::size_t full_misses_max = 5;
constexpr std::size_t listed_unused_max = 20;

using Snapshot = RunStatistics::Snapshot;

std::string number_of(std::uint64_t count, const std::string& what, const std::string& plural) {
  return std::to_string(count) + " " + (count == 1 ? what : plural);
}

std::string value_text(bool present, const std::string& value) {
  return present ? value : "(none)";
}

void append_miss(std::string& text, const RunStatistics::Miss& miss, bool full) {
  const auto& report = miss.report;
  text += "  " + std::to_string(miss.times) + "x  " + report.request_line + "  (" +
          std::string(miss_reason_text(report.reason)) + ")\n";
  if (!full) return;
  text += "      " + report.detail + "\n";
  if (!report.nearest.empty()) {
    const auto& near = report.nearest.front();
    text += "      nearest: #" + std::to_string(near.exchange_id) + " " + near.request_line + "\n";
    for (const auto& difference : near.differences) {
      text += "        " + difference.field + ": recorded " +
              value_text(difference.recorded_present, difference.recorded) + ", requested " +
              value_text(difference.requested_present, difference.requested) + "\n";
    }
  }
  if (!report.suggestion.empty()) text += "      try: " + report.suggestion + "\n";
}

void append_misses(std::string& text, const Snapshot& statistics) {
  for (std::size_t i = 0; i < statistics.missed.size(); ++i) {
    append_miss(text, statistics.missed[i], i < full_misses_max);
  }
}

void append_recorded(std::string& text, const SummaryInput& input) {
  const auto& statistics = input.statistics;
  text += "recorded " + number_of(statistics.recorded, "exchange", "exchanges");
  if (input.changes) {
    text += ": " + std::to_string(input.changes->added) + " new, " + std::to_string(input.changes->changed) +
            " changed, " + std::to_string(input.changes->same) + " same";
  }
  text += "\n";
  if (!statistics.errors_by_status.empty() || statistics.network_failures != 0) {
    text += "  errors among them:";
    for (const auto& [status, times] : statistics.errors_by_status) {
      text += " " + std::to_string(times) + "x " + std::to_string(status);
    }
    if (statistics.network_failures != 0)
      text += " " + number_of(statistics.network_failures, "network failure", "network failures");
    text += "\n";
  }
  if (!statistics.redactions.empty()) {
    text += "  redacted:";
    for (const auto& [rule, times] : statistics.redactions) text += " " + std::to_string(times) + "x " + rule + ";";
    text.back() = '\n';
  }
  // Of a cassette that was replaced no older take would be left.
  if (statistics.recorded != 0 && input.options.take_disposition != TakeDisposition::replace_file) {
    text += "  undo: tapedeck takes drop last -c " + input.options.cassette.string() + "\n";
  }
}

void append_scanned(std::string& text, const SummaryInput& input) {
  if (!input.scanned) return;
  const std::string command = "tapedeck scan -c " + input.options.cassette.string() + "\n";
  if (const auto secrets = input.scanned->secrets; secrets != 0) {
    text += "  " + number_of(secrets, "value looks like a secret", "values look like secrets") + "; look at " +
            (secrets == 1 ? "it" : "them") + " with: " + command;
  }
  if (input.scanned->stopped_early) {
    text += "  only " + number_of(input.scanned->exchanges, "exchange was", "exchanges were") +
            " looked through for secrets; look through all with: " + command;
  }
}

}  // namespace

std::string summary_text(const SummaryInput& input) {
  const auto& [options, statistics, unused, changes, scanned] = input;
  std::string text;
  if (statistics.requests == 0 && statistics.refusals == 0) {
    text += "not one request came";
    if (!options.command.empty() && statistics.tunnels.empty()) {
      text +=
          ": the command may ignore proxies; give it the base URL instead with --set-env NAME "
          "(the variable that it reads its base URL from)";
    }
    text += "\n";
  }
  if (statistics.refusals != 0) {
    text += number_of(statistics.refusals, "request was", "requests were") + " refused" +
            (statistics.refusals == 1 ? ": " : ", the first: ") + statistics.first_refusal + "\n";
  }
  const bool records = options.mode != Mode::replay;
  if (options.mode != Mode::record) {
    text += number_of(statistics.hits, "hit", "hits") + ", " + number_of(statistics.misses, "miss", "misses") + "\n";
    append_misses(text, statistics);
  }
  if (records) append_recorded(text, input);
  append_scanned(text, input);
  for (const auto& [host, times] : statistics.tunnels) {
    text += "  not recorded: " + number_of(times, "tunnel", "tunnels") + " to " + host + " (record it with --host " +
            host.substr(0, host.rfind(':')) + ")\n";
  }
  if ((options.fail_on_unused || options.ci) && !unused.empty()) {
    text += number_of(unused.size(), "recording was", "recordings were") + " not used:\n";
    for (std::size_t i = 0; i < std::min(unused.size(), listed_unused_max); ++i) {
      text += "  #" + std::to_string(unused[i].exchange_id) + " " + unused[i].request_line + "\n";
    }
  }
  return text;
}

}  // namespace tapedeck
