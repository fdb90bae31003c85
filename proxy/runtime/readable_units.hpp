#pragma once

#include <cstdint>
#include <string>

namespace tapedeck {

// Times are microseconds since the Unix epoch and shown in UTC, so that two people read the same.
std::string rfc3339_text(std::int64_t time_us);       // 2026-11-23T21:57:03.123Z
std::string short_time_text(std::int64_t time_us);    // 2026-11-23 21:57:03
std::string duration_text(std::int64_t duration_us);  // 850 us, 12 ms, 3.4 s
std::string size_text(std::uint64_t bytes);           // 512 B, 1.2 kB, 3.4 MB

}  // namespace tapedeck
