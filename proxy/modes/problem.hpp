#pragma once

#include <string>

#include "proxy/http/served_head.hpp"
#include "replay/matching/near_miss.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// Answers of our own making, all application/problem+json (RFC 9457). Nothing in them is secret: targets are redacted
// before they come here.
struct Problem {
  int status = 502;
  std::string code;  // last part of `type`, a stable word
  std::string title;
  std::string detail;  // one sentence that names the thing and the mend
};

Response problem_response(const Problem& problem);

// A miss as the contract words it: header Tapedeck-Miss, members reason, request, nearest and suggestion.
Response miss_response(const MissReport& report, int status);

// The JSON of a miss report; the log, the summary and the inspector show the same.
std::string miss_report_json(const MissReport& report, int status);

// What a client sees of a network failure, live and replayed (decision 14): 504 for what ran out of time, else 502.
Problem problem_of(const NetworkFailure& failure, const Origin& origin);

// Seconds precision, UTC: 2026-03-01T12:00:00Z.
std::string rfc3339(std::int64_t time_us);

// A whole response of ours as bytes.
std::string served_bytes(const Response& response, const ServedContext& context, const Origin& origin);

}  // namespace tapedeck
