#include <fstream>

#include <nlohmann/json.hpp>

#include "proxy/modes/problem.hpp"
#include "proxy/runtime/summary.hpp"

namespace tapedeck {

namespace {

using nlohmann::ordered_json;

// XML 1.0 knows no control characters but three white ones, not even escaped.
std::string xml_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return escaped;
}

}  // namespace

std::string report_json(const SummaryInput& input) {
  auto misses = ordered_json::array();
  for (const auto& miss : input.statistics.missed) {
    auto report = ordered_json::parse(miss_report_json(miss.report, input.options.miss_status));
    report["times"] = miss.times;
    misses.push_back(std::move(report));
  }
  auto unused = ordered_json::array();
  for (const auto& each : input.unused)
    unused.push_back({{"exchange", each.exchange_id}, {"request", each.request_line}});
  return ordered_json{{"requests", input.statistics.requests},
                      {"hits", input.statistics.hits},
                      {"misses", std::move(misses)},
                      {"recorded", input.statistics.recorded},
                      {"unused", std::move(unused)}}
             .dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

// One test case for the hits together and one a miss: CI systems show each failure by its name.
std::string report_junit(const SummaryInput& input) {
  const auto& missed = input.statistics.missed;
  const bool unused_fail = input.options.fail_on_unused;
  const auto failures = missed.size() + (unused_fail ? input.unused.size() : 0);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"tapedeck\" tests=\"" +
                    std::to_string(1 + failures) + "\" failures=\"" + std::to_string(failures) + "\">\n";
  xml += "  <testcase classname=\"tapedeck\" name=\"" + std::to_string(input.statistics.hits) + " hits\"/>\n";
  const auto append = [&xml](const std::string& name, const std::string& message) {
    xml += "  <testcase classname=\"tapedeck\" name=\"" + xml_text(name) + "\"><failure message=\"" +
           xml_text(message) + "\"/></testcase>\n";
  };
  for (const auto& miss : missed) {
    append(miss.report.request_line, std::string(miss_reason_text(miss.report.reason)) + ": " + miss.report.detail);
  }
  if (unused_fail) {
    for (const auto& each : input.unused) append(each.request_line, "recorded but not used");
  }
  return xml + "</testsuite>\n";
}

Result<void> write_report(const std::filesystem::path& file, const SummaryInput& input) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << (file.extension() == ".xml" ? report_junit(input) : report_json(input));
  out.close();
  if (!out)
    return Failure{"report-unwritable", Blame::us, "cannot write the report " + file.string() + "; check --report"};
  return {};
}

}  // namespace tapedeck
