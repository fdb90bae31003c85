#include "proxy/cli/exchange_text.hpp"

#include <algorithm>

#include "config/options.hpp"
#include "config/text.hpp"
#include "proxy/runtime/readable_units.hpp"
#include "storage/cassette/words.hpp"
#include "storage/redaction/content_coding.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t body_text_bytes_max = 256 * 1024;

std::string failure_text(const NetworkFailure& failure) {
  return std::string(word_of(failure_phase_words, failure.phase)) + " " +
         std::string(word_of(failure_kind_words, failure.kind));
}

void append_headers(std::string& out, const Headers& headers, std::string_view before = {}) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    out += before;
    out += printable(headers[i].name) + ": " + printable(headers[i].value) + '\n';
  }
}

// Text is what a terminal shows as it is: whole UTF-8 without control characters but line breaks and tabs.
std::optional<std::string> as_text(std::string_view bytes) {
  std::string lines(bytes);
  std::string::size_type at = 0;
  while ((at = lines.find("\r\n", at)) != std::string::npos) lines.erase(at, 1);
  if (printable(lines, LineBreaks::keep) != lines) return std::nullopt;
  return lines;
}

// As much of a body as is shown, not cut within a UTF-8 sequence.
std::string_view shown_part(std::string_view bytes) {
  if (bytes.size() <= body_text_bytes_max) return bytes;
  std::size_t end = body_text_bytes_max;
  for (int i = 0; i < 3 && (static_cast<unsigned char>(bytes[end]) & 0xC0) == 0x80; ++i) --end;
  return bytes.substr(0, end);
}

// The body without its content coding; nullopt when that cannot be undone.
std::optional<std::string> decoded(const Body& body, const Headers& headers) {
  const auto coding_text = headers.find("Content-Encoding");
  if (!coding_text || body.form == BodyForm::identity) return body.bytes;
  const auto coding = content_coding_of(*coding_text);
  if (!coding) return std::nullopt;
  auto bytes = decode_content(*coding, body.bytes, Limits{}.decoded_body_bytes_max);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

std::string too_large(const StoredBody& body) {
  return "\n# a body of " + size_text(body.size) + ", too large to be shown here";
}

void append_body(std::string& out, const Body& body, const Headers& headers, std::string_view where_whole) {
  if (body.bytes.empty()) return;
  const auto bytes = decoded(body, headers);
  const auto text = bytes ? as_text(shown_part(*bytes)) : std::nullopt;
  out += '\n';
  if (!text) {
    out += "# a body of " + size_text(body.bytes.size()) + " that is no text" + std::string(where_whole) + '\n';
    return;
  }
  const bool whole = bytes->size() <= body_text_bytes_max;
  out += whole ? laid_out_json(*text) : *text;
  if (out.back() != '\n') out += '\n';
  if (!whole) out += "# and so on, " + size_text(bytes->size()) + " in all" + std::string(where_whole) + '\n';
}

void append_response(std::string& out, const StoredExchange& stored) {
  const Exchange& exchange = stored.exchange;
  const Response& response = *exchange.response;
  const auto status_line = [&](int status, std::string_view reason) {
    out += '\n' + printable(exchange.upstream_protocol) + ' ' + std::to_string(status);
    if (!reason.empty()) out += ' ' + printable(reason);
    out += '\n';
  };
  for (const InterimResponse& interim : response.interim) {
    status_line(interim.status, interim.reason);
    append_headers(out, interim.headers);
  }
  status_line(response.status, response.reason);
  append_headers(out, response.headers);
  const auto where_whole = "; tapedeck show " + std::to_string(stored.id) + " --raw writes it";
  if (stored.response_body_stays()) {
    out += too_large(stored.response_body) + where_whole + '\n';
  } else {
    append_body(out, response.body, response.headers, where_whole);
  }
  append_headers(out, response.trailers, "# trailer ");
}

}  // namespace

std::string outcome_text(const Exchange& exchange) {
  if (exchange.response) {
    return std::to_string(exchange.response->status) + (exchange.state == ExchangeState::whole ? "" : " cut");
  }
  if (exchange.failure) return failure_text(*exchange.failure);
  return std::string(word_of(exchange_state_words, exchange.state));
}

std::string url_text(const Request& request) {
  return request.origin.text() + (request.target == "*" ? " *" : request.target);
}

std::string exchange_text(const StoredExchange& stored) {
  const Exchange& exchange = stored.exchange;
  std::string out = "# exchange " + std::to_string(stored.id) + " of take " + std::to_string(stored.take_ordinal) +
                    ", session " + printable(exchange.session) + ", " +
                    std::string(word_of(way_in_words, exchange.way_in)) + "\n# " +
                    rfc3339_text(exchange.started_at_us) + ", first byte after " +
                    duration_text(exchange.first_byte_us) + ", end after " + duration_text(exchange.finished_us) + '\n';
  if (exchange.state != ExchangeState::whole) {
    out += "# " + std::string(word_of(exchange_state_words, exchange.state)) +
           (exchange.cut_by_client ? ", since the client left\n" : "\n");
  }
  out += '\n' + printable(exchange.request.method) + ' ' + printable(url_text(exchange.request)) + ' ' +
         printable(exchange.client_protocol) + '\n';
  append_headers(out, exchange.request.headers);
  if (stored.request_body_stays()) {
    out += too_large(stored.request_body) + '\n';
  } else {
    append_body(out, exchange.request.body, exchange.request.headers, "");
  }
  append_headers(out, exchange.request.trailers, "# trailer ");
  if (exchange.response) append_response(out, stored);
  if (exchange.failure) {
    out += "\n# " + failure_text(*exchange.failure) + " on the side of the " +
           std::string(word_of(failure_side_words, exchange.failure->side));
    if (!exchange.failure->code.empty()) out += " (" + printable(exchange.failure->code) + ")";
    out += '\n';
  }
  return out;
}

}  // namespace tapedeck
