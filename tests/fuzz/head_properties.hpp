#pragma once

#include <string>
#include <string_view>

#include "proxy/http/head_scan.hpp"
#include "tests/fuzz/check.hpp"

namespace tapedeck::fuzz {

inline bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// What holds for every scan of a head. `first_line` writes the start line of a scanned head anew.
template <typename Scan, typename FirstLine>
void check_head(std::string_view bytes, Scan scan, FirstLine first_line) {
  using Outcome = HeadScan::Outcome;
  const Limits limits;
  ScannedHead head;
  const HeadScan result = scan(bytes, limits, head);
  if (result.outcome == Outcome::refused) {
    TAPEDECK_CHECK(!result.refusal.code.empty() && !result.refusal.detail.empty());
    TAPEDECK_CHECK(result.refusal.status >= 400 && result.refusal.status <= 599);
  }
  if (result.outcome != Outcome::complete) return;

  TAPEDECK_CHECK(head.head_bytes > 0 && head.head_bytes <= bytes.size());
  TAPEDECK_CHECK(!(head.chunked && head.content_length));
  const std::string_view head_text = bytes.substr(0, head.head_bytes);
  TAPEDECK_CHECK(head.fields.size() <= limits.header_fields_max);
  for (const HeaderView& field : head.fields) {
    TAPEDECK_CHECK(lies_within(field.name, head_text) && lies_within(field.value, head_text));
    TAPEDECK_CHECK(field.name.find_first_of(": \t\r\n") == std::string_view::npos && !field.name.empty());
    TAPEDECK_CHECK(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }

  // What follows the head does not matter, and no part of the head is a head.
  ScannedHead again;
  TAPEDECK_CHECK(scan(head_text, limits, again).outcome == Outcome::complete && again.head_bytes == head.head_bytes);
  for (const std::size_t size : {head.head_bytes - 1, head.head_bytes / 2}) {
    TAPEDECK_CHECK(scan(head_text.substr(0, size), limits, again).outcome == Outcome::need_more);
  }

  // Written anew from the values, it is read as the same head: what is forwarded means what was received.
  std::string written = first_line(head);
  for (const HeaderView& field : head.fields) {
    written.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  written += "\r\n";
  const HeadScan rewritten = scan(written, limits, again);
  if (rewritten.outcome == Outcome::refused && written.size() > bytes.size()) return;  // grown over a limit
  TAPEDECK_CHECK(rewritten.outcome == Outcome::complete && again.head_bytes == written.size());
  TAPEDECK_CHECK(again.chunked == head.chunked && again.content_length == head.content_length);
  TAPEDECK_CHECK(again.keep_alive() == head.keep_alive() && again.fields.size() == head.fields.size());
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    TAPEDECK_CHECK(again.fields[i].name == head.fields[i].name && again.fields[i].value == head.fields[i].value);
  }
}

}  // namespace tapedeck::fuzz
