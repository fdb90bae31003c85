#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replay/matching/match_key.hpp"

namespace tapedeck {

// Why no recording answers, in order of precedence (contract: the header Tapedeck-Miss).
enum class MissReason { not_intercepted, empty_cassette, no_host, no_path, no_method, differs, exhausted };
std::string_view miss_reason_text(MissReason reason);  // "not-intercepted", …

// One field in which a recording differs from the request. `field` reads "origin", "method", "path", "query companyId",
// "header Range", "form grant_type", "body $.companyIds[1]", "body part \"file\"", "body part order" or "body". An
// absent side is empty with its flag off. Texts are made for reading: decoded, cut at 200 bytes with an ellipsis, and
// always UTF-8.
struct FieldDifference {
  std::string field;
  bool recorded_present = true;
  std::string recorded;
  bool requested_present = true;
  std::string requested;
};

struct NearRecording {
  std::int64_t exchange_id = 0;
  std::int64_t take_ordinal = 0;
  std::int64_t recorded_at_us = 0;
  std::string session;
  std::uint64_t used = 0;
  std::string request_line;  // "GET https://api.roaring.io/…", redacted
  std::vector<FieldDifference> differences;
};

struct MissReport {
  MissReason reason = MissReason::differs;
  bool is_unreadable = false;  // a recording matches, but the cassette is damaged where it is kept
  std::string request_line;
  std::string detail;                  // one sentence for people
  std::vector<NearRecording> nearest;  // at most three, nearest first
  std::string suggestion;              // the rule, option or command that would make it match; may be empty
};

// Of a request that was not compared with any recording.
MissReport miss_of(std::string request_line, std::string detail);

// Field by field: origin, method, path, query, Range, body. At most `differences_max`; a last entry "N more" with
// neither side stands for the rest. Pure.
inline constexpr std::size_t differences_max = 50;
std::vector<FieldDifference> differences_between(const MatchKey& recorded, const MatchKey& requested);

// As texts stand in a difference: UTF-8 without control characters, cut with an ellipsis.
std::string readable(std::string_view text, std::size_t bytes_max = 200);

}  // namespace tapedeck
