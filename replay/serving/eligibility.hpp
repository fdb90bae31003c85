#pragma once

#include <string>
#include <string_view>

#include "storage/exchange/headers.hpp"

namespace tapedeck {

// What the eligibility filter looks at beside the key (decision 11): 304 and 412 answer only conditional requests, 206
// only Range, and a recording whose media type Accept allows, whose coding Accept-Encoding allows, and which was
// recorded under the same conditions goes first.
struct RequestConditions {
  // If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since with their values, a line each in one order.
  std::string validators;
  bool range = false;
  std::string accept;
  std::string accept_encoding;

  bool is_conditional() const { return !validators.empty(); }
};
RequestConditions conditions_of(const Headers& request_headers);

// Whether a recording with that status may answer at all; 0 is a network failure.
bool is_eligible(int status, const RequestConditions& conditions);

// What a recording was asked for and what it is, as negotiated (RFC 9110 §12).
struct Negotiation {
  std::string_view accept;  // of the recorded request
  std::string_view accept_encoding;
  std::string_view validators;
  std::string_view media_type;  // of the response, lower-case, without parameters; empty: none or a failure
  std::string_view content_coding;

  friend auto operator<=>(const Negotiation&, const Negotiation&) = default;
};

// How far a recording is from what the request asks for; the lowest goes first. What came back for the very same
// Accept is as near as can be, whatever it is: an upstream that answers `Accept: application/pdf` with a JSON "pending"
// and later the PDF is replayed in that order. Type weighs most, then coding; validators least, because a full answer
// is right for every conditional request too.
int preference_of(const Negotiation& recorded, const RequestConditions& conditions);

// RFC 9110 §12.5.1; the most specific range that covers the type decides. No field at all allows everything.
bool accept_allows(std::string_view accept, std::string_view media_type);
// RFC 9110 §12.5.3, but without the field only identity is taken as allowed: that is what clients that cannot decode
// send.
bool accept_encoding_allows(std::string_view accept_encoding, std::string_view content_coding);

}  // namespace tapedeck
