#include "proxy/http/head_scan.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace tapedeck {

namespace {

enum class Side { request, response };

constexpr HeadScan need_more{HeadScan::Outcome::need_more, {}};
constexpr HeadScan complete{HeadScan::Outcome::complete, {}};

constexpr HeadScan refuse(int status, std::string_view code, std::string_view detail) {
  return {HeadScan::Outcome::refused, {status, code, detail}};
}

constexpr HeadScan bare_lf = refuse(400, "bare-lf", "a line ends with LF alone; end lines with CRLF");
constexpr HeadScan bare_cr = refuse(400, "bare-cr", "a CR stands alone within a line; end lines with CRLF");
constexpr HeadScan bad_request_line =
    refuse(400, "bad-request-line", "the request line is not `method target HTTP/1.1` with single spaces; send it so");
// Longer ones than any are; a cassette would not take them either.
constexpr std::size_t method_bytes_max = 1024;
constexpr std::size_t reason_bytes_max = 1024;

constexpr HeadScan bad_method = refuse(400, "bad-method", "the method is not a token; use letters such as GET");
constexpr HeadScan bad_target =
    refuse(400, "bad-target", "the request target has a character that must be percent-encoded; encode it");
constexpr HeadScan fragment_in_target =
    refuse(400, "fragment-in-target", "the request target has a fragment (#), which is never sent; leave it out");
constexpr HeadScan bad_version = refuse(400, "bad-version", "the version is malformed; send HTTP/1.1");
constexpr HeadScan unsupported_version =
    refuse(505, "unsupported-version", "only HTTP/1.0 and HTTP/1.1 are spoken here; use one of them");
constexpr HeadScan bad_status_line =
    refuse(400, "bad-status-line", "the status line is not `HTTP/1.1 status reason`; the peer does not speak HTTP/1");
constexpr HeadScan bad_status = refuse(400, "bad-status", "the status is not three digits from 100 to 599");
constexpr HeadScan method_too_long =
    refuse(400, "method-too-long", "the method is over 1024 bytes; use a word such as GET");
constexpr HeadScan reason_too_long = refuse(400, "reason-too-long", "the reason phrase is over 1024 bytes; shorten it");
constexpr HeadScan bad_reason = refuse(400, "bad-reason", "the reason phrase has a control character; remove it");
constexpr HeadScan target_too_long =
    refuse(414, "request-line-too-long", "the request line is over the limit; shorten the URL");
constexpr HeadScan status_line_too_long =
    refuse(431, "status-line-too-long", "the status line is over the limit; shorten the reason");
constexpr HeadScan head_too_long =
    refuse(431, "head-too-long", "the head is over the limit; send fewer or shorter fields");
constexpr HeadScan too_many_fields =
    refuse(431, "too-many-fields", "the head has more fields than the limit; send fewer");
constexpr HeadScan two_lengths = refuse(400, "two-content-lengths", "Content-Length stands twice; send it once");
constexpr HeadScan bad_length =
    refuse(400, "bad-content-length", "Content-Length is not one decimal number below 2^63; correct it");
constexpr HeadScan two_codings =
    refuse(400, "two-transfer-encodings", "Transfer-Encoding stands twice; send `chunked` once");
constexpr HeadScan unknown_coding =
    refuse(400, "unknown-transfer-coding", "the only transfer coding spoken here is `chunked`; send that alone");
constexpr HeadScan coding_in_1_0 =
    refuse(400, "transfer-encoding-in-1.0", "HTTP/1.0 has no Transfer-Encoding; use HTTP/1.1 or Content-Length");
constexpr HeadScan length_and_coding =
    refuse(400, "length-and-transfer-encoding", "Content-Length and Transfer-Encoding stand together; send only one");
constexpr HeadScan missing_host = refuse(400, "missing-host", "HTTP/1.1 needs a Host field; send one");
constexpr HeadScan two_hosts = refuse(400, "two-hosts", "Host stands twice; send it once");
constexpr HeadScan bad_host =
    refuse(400, "bad-host", "Host has a character that no host and port has; send `host` or `host:port`");
constexpr HeadScan connect_with_body =
    refuse(400, "connect-with-body", "CONNECT has no body; send it without Content-Length and Transfer-Encoding");

constexpr std::array<bool, 256> host_bytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("-._~%:[]0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

// Size and first letter turn away nearly every other name before the call. Setting one bit of two letters that are
// equal without case leaves them equal.
bool named(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() && !name.empty() && (name.front() | 0x20) == (wanted.front() | 0x20) &&
         equal_without_case(name, wanted);
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// HTTP-version of RFC 9112 §2.3, which is case-sensitive.
HeadScan parse_version(std::string_view text, ScannedHead& head) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7])) {
    return bad_version;
  }
  if (text[5] != '1' || text[7] > '1') return unsupported_version;
  head.version_minor = text[7] - '0';
  return complete;
}

HeadScan parse_request_line(std::string_view line, ScannedHead& head) {
  const auto method_end = line.find(' ');
  head.method = line.substr(0, method_end);
  if (!is_token(head.method)) return line.find('\r') != std::string_view::npos ? bare_cr : bad_method;
  if (head.method.size() > method_bytes_max) return method_too_long;
  if (method_end == std::string_view::npos) return bad_request_line;
  const auto rest = line.substr(method_end + 1);
  std::size_t target_end = 0;
  while (target_end < rest.size() && is_target_byte(rest[target_end])) ++target_end;
  head.target = rest.substr(0, target_end);
  if (target_end == rest.size()) return bad_request_line;
  if (rest[target_end] == '\r') return bare_cr;
  if (rest[target_end] == '#') return fragment_in_target;
  if (rest[target_end] != ' ') return bad_target;
  if (head.target.empty()) return bad_request_line;
  const auto version = rest.substr(target_end + 1);
  if (version.find(' ') != std::string_view::npos) return bad_request_line;
  if (version.find('\r') != std::string_view::npos) return bare_cr;
  return parse_version(version, head);
}

// A missing reason, with or without the space before it, is let pass: servers do both (RFC 9112 §4).
HeadScan parse_status_line(std::string_view line, ScannedHead& head) {
  if (!line.starts_with("HTTP/")) return bad_status_line;
  if (const auto scan = parse_version(line.substr(0, 8), head); scan.outcome != HeadScan::Outcome::complete)
    return scan;
  if (line.size() < 12 || line[8] != ' ') return bad_status_line;
  const auto digits = line.substr(9, 3);
  if (!std::all_of(digits.begin(), digits.end(), is_digit) || digits[0] < '1' || digits[0] > '5') return bad_status;
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  if (line.size() > 12 && line[12] != ' ') return bad_status;
  head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (head.reason.find('\r') != std::string_view::npos) return bare_cr;
  const bool control = std::any_of(head.reason.begin(), head.reason.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (head.reason.size() > reason_bytes_max) return reason_too_long;
  return control ? bad_reason : complete;
}

// Whether a first line that has not ended can still become one. A peer that speaks something else, and waits, is
// refused at once and not when its time is up.
HeadScan judge_unfinished_line(Side side, std::string_view part) {
  if (side == Side::response) {
    const auto shared = std::min<std::size_t>(part.size(), 5);
    return part.substr(0, shared) == std::string_view("HTTP/").substr(0, shared) ? need_more : bad_status_line;
  }
  if (part.empty() || is_token(part.substr(0, 1))) return need_more;
  return part.front() == '\r' ? (part.size() == 1 ? need_more : bare_cr) : bad_method;
}

struct FirstLine {
  HeadScan scan;
  std::size_t end = 0;  // past its LF
};

FirstLine scan_first_line(Side side, std::string_view bytes, std::size_t begin, const Limits& limits,
                          ScannedHead& head) {
  const auto window = bytes.substr(begin, limits.start_line_bytes_max);
  const auto lf = window.find('\n');
  if (lf == std::string_view::npos) {
    const auto judged = judge_unfinished_line(side, window);
    if (judged.outcome == HeadScan::Outcome::refused || window.size() < limits.start_line_bytes_max) return {judged};
    return {side == Side::request ? target_too_long : status_line_too_long};
  }
  // Judged first, so that a line is refused for the same reason however it was split.
  if (const auto judged = judge_unfinished_line(side, window.substr(0, lf));
      judged.outcome != HeadScan::Outcome::need_more) {
    return {judged};
  }
  if (lf == 0 || window[lf - 1] != '\r') return {bare_lf};
  const auto line = window.substr(0, lf - 1);
  if (line.empty()) return {side == Side::request ? bad_request_line : bad_status_line};
  return {side == Side::request ? parse_request_line(line, head) : parse_status_line(line, head), begin + lf + 1};
}

// Few heads have more; for them the list grows.
constexpr std::size_t fields_usual = 16;

// Finds the end of the head and leaves the unparsed field lines in `head.fields`, as names.
HeadScan find_field_lines(std::string_view bytes, std::size_t begin, const Limits& limits, ScannedHead& head) {
  head.fields.clear();
  head.fields.reserve(fields_usual);
  const auto window = bytes.substr(0, limits.head_bytes_max);
  while (begin < window.size()) {
    const void* found = std::memchr(window.data() + begin, '\n', window.size() - begin);
    if (!found) break;
    const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - window.data());
    if (lf == begin || window[lf - 1] != '\r') return bare_lf;
    if (lf - 1 == begin) {
      head.head_bytes = lf + 1;
      return complete;
    }
    if (head.fields.size() == limits.header_fields_max) return too_many_fields;
    head.fields.push_back({window.substr(begin, lf - 1 - begin), {}});
    begin = lf + 1;
  }
  return window.size() == limits.head_bytes_max ? head_too_long : need_more;
}

// RFC 9110 §8.6. A list, even of equal numbers, is refused: some parsers take the first and some the last.
HeadScan parse_content_length(std::string_view value, ScannedHead& head) {
  if (head.content_length) return two_lengths;
  constexpr std::size_t digits_max = 19;  // 2^63 - 1 has 19 digits
  if (value.empty() || value.size() > digits_max || !std::all_of(value.begin(), value.end(), is_digit)) {
    return bad_length;
  }
  std::uint64_t length = 0;
  for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  if (length > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return bad_length;
  head.content_length = length;
  return complete;
}

HeadScan parse_transfer_encoding(std::string_view value, ScannedHead& head) {
  if (head.chunked) return two_codings;
  if (!named(value, "chunked")) return unknown_coding;
  if (head.version_minor == 0) return coding_in_1_0;
  head.chunked = true;
  return complete;
}

HeadScan parse_host(std::string_view value, bool& seen) {
  if (seen) return two_hosts;
  seen = true;
  const bool clean =
      std::all_of(value.begin(), value.end(), [](char c) { return host_bytes[static_cast<unsigned char>(c)]; });
  return clean ? complete : bad_host;
}

HeadScan parse_fields(Side side, ScannedHead& head) {
  head.chunked = false;
  head.content_length.reset();
  bool host_seen = false;
  for (auto& field : head.fields) {
    if (const auto* refusal = parse_field_line(field.name, field)) return {HeadScan::Outcome::refused, *refusal};
    HeadScan scan = complete;
    if (named(field.name, "content-length")) {
      scan = parse_content_length(field.value, head);
    } else if (named(field.name, "transfer-encoding")) {
      scan = parse_transfer_encoding(field.value, head);
    } else if (side == Side::request && named(field.name, "host")) {
      scan = parse_host(field.value, host_seen);
    }
    if (scan.outcome != HeadScan::Outcome::complete) return scan;
  }
  if (head.chunked && head.content_length) return length_and_coding;
  if (side == Side::response) return complete;
  if (head.version_minor == 1 && !host_seen) return missing_host;
  if (head.method == "CONNECT" && (head.chunked || head.content_length.value_or(0) > 0)) return connect_with_body;
  return complete;
}

HeadScan scan_head(Side side, std::string_view bytes, const Limits& limits, ScannedHead& head) {
  head.method = head.target = head.reason = {};
  head.status = 0;
  head.head_bytes = 0;
  const std::size_t begin = side == Side::request && bytes.starts_with("\r\n") ? 2 : 0;
  const auto first = scan_first_line(side, bytes, begin, limits, head);
  if (first.scan.outcome != HeadScan::Outcome::complete) return first.scan;
  const auto lines = find_field_lines(bytes, first.end, limits, head);
  return lines.outcome == HeadScan::Outcome::complete ? parse_fields(side, head) : lines;
}

}  // namespace

std::string_view ScannedHead::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (named(field.name, name)) return field.value;
  }
  return {};
}

bool ScannedHead::contains(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(), [&](const HeaderView& field) { return named(field.name, name); });
}

bool ScannedHead::list_contains(std::string_view name, std::string_view token) const {
  return std::any_of(fields.begin(), fields.end(), [&](const HeaderView& field) {
    return named(field.name, name) && list_value_contains(field.value, token);
  });
}

bool ScannedHead::keep_alive() const {
  if (list_contains("connection", "close")) return false;
  return version_minor >= 1 || list_contains("connection", "keep-alive");
}

Headers ScannedHead::headers() const {
  Headers copied;
  copied.reserve(fields.size(), head_bytes);
  for (const auto& field : fields) copied.add(field.name, field.value);
  return copied;
}

HeadScan scan_request_head(std::string_view bytes, const Limits& limits, ScannedHead& head) {
  return scan_head(Side::request, bytes, limits, head);
}

HeadScan scan_response_head(std::string_view bytes, const Limits& limits, ScannedHead& head) {
  return scan_head(Side::response, bytes, limits, head);
}

MessageFraming request_framing(const ScannedHead& head) {
  if (head.chunked) return {BodyFraming::chunked, 0};
  if (head.content_length) return {BodyFraming::content_length, *head.content_length};
  return {};
}

MessageFraming response_framing(const ScannedHead& head, std::string_view request_method) {
  const bool tunnel = request_method == "CONNECT" && head.status / 100 == 2;
  if (request_method == "HEAD" || head.status / 100 == 1 || head.status == 204 || head.status == 304 || tunnel)
    return {};
  if (head.chunked) return {BodyFraming::chunked, 0};
  if (head.content_length) return {BodyFraming::content_length, *head.content_length};
  return {BodyFraming::until_close, 0};
}

}  // namespace tapedeck
