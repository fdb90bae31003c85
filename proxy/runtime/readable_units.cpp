#include "proxy/runtime/readable_units.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace tapedeck {

namespace {

struct Instant {
  std::tm utc{};
  int milliseconds = 0;
};

// Cassettes can name any time; what is no date from year 1 to 9999 is shown as the epoch's first moment.
Instant instant_of(std::int64_t time_us) {
  constexpr std::int64_t first_us = -62'135'596'800'000'000;
  constexpr std::int64_t last_us = 253'402'300'799'999'999;
  if (time_us < first_us || time_us > last_us) time_us = 0;
  std::int64_t seconds = time_us / 1'000'000;
  std::int64_t rest_us = time_us % 1'000'000;
  if (rest_us < 0) {
    rest_us += 1'000'000;
    --seconds;
  }
  Instant out;
  const std::time_t time = seconds;
  gmtime_r(&time, &out.utc);
  out.milliseconds = static_cast<int>(rest_us / 1000);
  return out;
}

std::string with_unit(double number, const char* unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), number < 10 ? "%.1f %s" : "%.0f %s", number, unit);
  return text.data();
}

}  // namespace

std::string rfc3339_text(std::int64_t time_us) {
  const Instant instant = instant_of(time_us);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", instant.utc.tm_year + 1900,
                instant.utc.tm_mon + 1, instant.utc.tm_mday, instant.utc.tm_hour, instant.utc.tm_min,
                instant.utc.tm_sec, instant.milliseconds);
  return text.data();
}

std::string short_time_text(std::int64_t time_us) {
  std::string text = rfc3339_text(time_us).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string duration_text(std::int64_t duration_us) {
  if (duration_us < 0) return "-";
  if (duration_us < 1000) return std::to_string(duration_us) + " us";
  const auto microseconds = static_cast<double>(duration_us);
  if (duration_us < 999'500) return with_unit(microseconds / 1e3, "ms");
  return with_unit(microseconds / 1e6, "s");
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  const auto size = static_cast<double>(bytes);
  if (bytes < 999'500) return with_unit(size / 1e3, "kB");
  if (bytes < 999'500'000) return with_unit(size / 1e6, "MB");
  return with_unit(size / 1e9, "GB");
}

}  // namespace tapedeck
