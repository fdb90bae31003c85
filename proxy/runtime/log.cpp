#include "proxy/runtime/log.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "config/text.hpp"

namespace tapedeck {

namespace {

std::string_view level_name(Log::Level level) {
  constexpr std::array<std::string_view, 4> names{"verbose", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

bool is_shown(Log::Level level, int verbosity) {
  if (verbosity < 0) return level >= Log::Level::warning;
  return verbosity > 0 || level >= Log::Level::info;
}

std::string json_line(std::string_view level, std::string_view text) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return nlohmann::ordered_json{{"time_ms", ms}, {"level", level}, {"message", text}}.dump(
             -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

// One write a line, so that lines of several threads and of a wrapped command do not run into each other.
void write_to_standard_error(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Log::Log(bool json, int verbosity, Sink sink) : json_(json), verbosity_(verbosity), sink_(std::move(sink)) {
}

Log::Log(bool json, int verbosity) : Log(json, verbosity, write_to_standard_error) {
}

void Log::line(Level level, std::string_view text) {
  if (!is_shown(level, verbosity_)) return;
  if (json_) return sink_(json_line(level_name(level), text));
  std::string out = "tapedeck: ";
  if (level == Level::warning) out += "warning: ";
  if (level == Level::error) out += "error: ";
  out += escape_control_characters(text, false);
  out += '\n';
  sink_(out);
}

void Log::block(std::string_view text) {
  if (text.empty() || verbosity_ < 0) return;
  if (json_) return sink_(json_line("info", text));
  std::string out = "tapedeck: " + escape_control_characters(text, true);
  if (out.back() != '\n') out += '\n';
  sink_(out);
}

std::string escape_control_characters(std::string_view text, bool keep_line_feeds) {
  return printable(text, keep_line_feeds ? LineBreaks::keep : LineBreaks::escape);
}

}  // namespace tapedeck
