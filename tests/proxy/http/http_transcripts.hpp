#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/body_decoder.hpp"
#include "proxy/http/head_scan.hpp"

// One line of text for what a scan or a decoder made of its bytes, so that tables compare whole outcomes.
namespace tapedeck {

inline std::string describe(const ScannedHead& head) {
  std::ostringstream text;
  if (head.status != 0) {
    text << head.status << " '" << head.reason << "'";
  } else {
    text << head.method << ' ' << head.target;
  }
  text << " 1." << head.version_minor;
  for (const auto& field : head.fields) text << " |" << field.name << '=' << field.value << '|';
  if (head.chunked) text << " chunked";
  if (head.content_length) text << " length " << *head.content_length;
  if (!head.keep_alive()) text << " close";
  return text.str();
}

using HeadScanner = HeadScan (*)(std::string_view, const Limits&, ScannedHead&);

// What the scan makes of bytes that come in pieces, with a call after each one as a connection would do.
inline std::string scan_pieces(HeadScanner scan, const std::vector<std::string_view>& pieces, const Limits& limits) {
  std::string buffer;
  ScannedHead head;
  for (const auto& piece : pieces) {
    buffer += piece;
    const auto outcome = scan(buffer, limits, head);
    if (outcome.outcome == HeadScan::Outcome::complete) return describe(head);
    if (outcome.outcome == HeadScan::Outcome::refused) {
      return std::to_string(outcome.refusal.status) + ' ' + std::string(outcome.refusal.code);
    }
  }
  return "need more";
}

// What the decoder makes of them: data joined, trailers, and how it ended. Bytes after the end are counted.
inline std::string read_pieces(MessageFraming framing, const std::vector<std::string_view>& pieces,
                               const Limits& limits, bool eof = false) {
  BodyDecoder decoder(framing, limits);
  std::string data, end = "need more";
  std::size_t left_over = 0;
  for (const auto& piece : pieces) {
    auto input = piece;
    while (true) {
      const auto event = decoder.next(input);
      input.remove_prefix(event.consumed);
      data += event.data;
      if (event.kind == BodyDecoder::Event::Kind::data) continue;
      if (event.kind == BodyDecoder::Event::Kind::end) end = "end";
      if (event.kind == BodyDecoder::Event::Kind::refused) end = std::string(event.refusal.code);
      break;
    }
    if (end == "end") left_over += input.size();
    if (end != "need more" && end != "end") return "'" + data + "' " + end;
  }
  if (eof && end == "need more") {
    const auto event = decoder.at_eof();
    end = event.kind == BodyDecoder::Event::Kind::end ? "end" : std::string(event.refusal.code);
  }
  auto text = "'" + data + "' " + end;
  for (std::size_t i = 0; i < decoder.trailers().size(); ++i) {
    text.append(" |").append(decoder.trailers()[i].name).append("=").append(decoder.trailers()[i].value).append("|");
  }
  if (left_over > 0) text += " +" + std::to_string(left_over);
  return text;
}

}  // namespace tapedeck
