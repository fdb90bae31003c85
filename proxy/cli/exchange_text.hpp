#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// Exchanges of a cassette as text for people. A cassette is hostile input: all of it is escaped before it is shown.

// "200", "200 cut", "connect refused", "open".
std::string outcome_text(const Exchange& exchange);

std::string url_text(const Request& request);

// Request, interim responses and response as HTTP, with what is known about them in lines that begin with '#'. Bodies
// are decoded; JSON is laid out; what is no text is a note of its size.
std::string exchange_text(const StoredExchange& stored);

// JSON laid out with a line for each member, every token as it is. Text that is no JSON comes back as it was.
std::string laid_out_json(std::string_view json);

}  // namespace tapedeck
