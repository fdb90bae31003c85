// Two tables of what clients and upstreams may send to be understood in two ways (hostile_requests.json and
// hostile_responses.json), and what is read instead: however the bytes come in. The end-to-end tests send the same rows
// over sockets.

#include <fstream>
#include <optional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "proxy/connection/origin_decision.hpp"
#include "proxy/http/body_decoder.hpp"
#include "proxy/http/head_scan.hpp"
#include "proxy/http/served_head.hpp"
#include "tests/support/splits.hpp"

using namespace tapedeck;
using nlohmann::json;

namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t rows_min = 120;

json table(const char* path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), "run the tests in the root of the repository");
  return json::parse(in);
}

// The tables write each byte as the character of that number, which JSON keeps as UTF-8.
std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>((lead & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
  }
  return bytes;
}

// A text, or pieces of which a pair stands for a text and how often it is repeated.
std::string message_of(const json& row) {
  const auto& bytes = row.at("bytes");
  if (bytes.is_string()) return bytes_of(bytes);
  std::string message;
  for (const auto& piece : bytes) {
    if (piece.is_string()) {
      message += bytes_of(piece);
      continue;
    }
    const auto part = bytes_of(piece.at(0));
    for (std::size_t n = piece.at(1); n > 0; --n) message += part;
  }
  return message;
}

Lines expected_of(const json& row) {
  Lines lines;
  for (const auto& line : row.at("read")) {
    const std::size_t times = line.is_string() ? 1 : line.at(1).get<std::size_t>();
    lines.insert(lines.end(), times, bytes_of(line.is_string() ? line : line.at(0)));
  }
  return lines;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text.append(line).append("; ");
  return text;
}

// Long messages are cut at a few places, short ones at each.
std::vector<std::vector<std::string_view>> deliveries_of(std::string_view bytes) {
  constexpr std::size_t cut_everywhere_bytes_max = 1000;
  if (bytes.size() <= cut_everywhere_bytes_max) return splits_of(bytes);
  std::vector<std::vector<std::string_view>> splits = {{bytes}};
  for (std::size_t cut = 1; cut < bytes.size(); cut += bytes.size() / 23) {
    splits.push_back({bytes.substr(0, cut), bytes.substr(cut)});
  }
  splits.emplace_back();
  for (std::size_t at = 0; at < bytes.size(); at += 61) splits.back().push_back(bytes.substr(at, 61));
  return splits;
}

// The body that is being read, if one is.
class BodyReading {
 public:
  void begin(MessageFraming framing) {
    data_.clear();
    decoder_.emplace(framing, Limits{});
  }
  bool going_on() const { return decoder_.has_value(); }

  // Takes what it can of `buffer`. How the body ended: nullopt not yet, "" well, else a status and a code.
  std::optional<std::string> read(std::string& buffer) {
    using Kind = BodyDecoder::Event::Kind;
    BodyDecoder::Event event;
    do {
      event = decoder_->next(buffer);
      data_ += event.data;
      buffer.erase(0, event.consumed);
    } while (event.kind == Kind::data);
    if (event.kind == Kind::need_more) return std::nullopt;
    if (event.kind == Kind::end) return "";
    return std::to_string(event.refusal.status) + " " + std::string(event.refusal.code);
  }
  bool ends_with_the_connection() { return decoder_->at_eof().kind == BodyDecoder::Event::Kind::end; }

  // Its data, and its trailers when it ended well; it is over then.
  std::string end(bool well) {
    std::string text = "'" + data_ + "'";
    const auto& trailers = decoder_->trailers();
    for (std::size_t i = 0; well && i < trailers.size(); ++i) {
      text.append(" |").append(trailers[i].name).append("=").append(trailers[i].value).append("|");
    }
    decoder_.reset();
    return text;
  }

 private:
  std::optional<BodyDecoder> decoder_;
  std::string data_;
};

const OriginRules& rules() {
  static const OriginRules rules{UpstreamUrl{"http", "api.test", 80},
                                 [](std::string_view host, std::uint16_t) { return host == "api.test"; }};
  return rules;
}

// What a connection makes of the bytes of a client: a line for each request, the last of which may be a refusal.
class RequestReading {
 public:
  Lines lines;
  std::vector<Request> taken;  // those that were whole

  void feed(std::string_view piece) {
    buffer_ += piece;
    while (!over_ && (body_.going_on() ? read_body() : read_head())) {
    }
  }

  void end() {
    if (body_.going_on())
      lines.push_back(request_.method + " " + request_.target + " cut");
    else if (over_ ? closed_ && !buffer_.empty() : !buffer_.empty())
      lines.emplace_back(closed_ ? "closed" : "cut");
  }

 private:
  bool read_head() {
    ScannedHead head;
    const auto scan = scan_request_head(buffer_, {}, head);
    if (scan.outcome == HeadScan::Outcome::need_more) return false;
    if (scan.outcome == HeadScan::Outcome::refused) return refuse(scan.refusal.status, scan.refusal.code);
    Arrival arrival;
    arrival.local_port = 8484;
    const auto decision = decide_origin(arrival, head, rules());
    if (const auto* refusal = std::get_if<OriginRefusal>(&decision)) return refuse(refusal->status, refusal->code);
    const auto& forward = std::get<Forward>(decision);
    request_ = {};
    request_.origin = forward.origin;
    request_.method = head.method;
    request_.target = forward.target;
    for (const auto& field : head.fields) request_.headers.add(field.name, field.value);
    request_.body.framing = request_framing(head).framing;
    closed_ = !head.keep_alive();
    body_.begin(request_framing(head));
    buffer_.erase(0, head.head_bytes);
    return true;
  }

  bool read_body() {
    const auto outcome = body_.read(buffer_);
    if (!outcome) return false;
    const auto text = body_.end(outcome->empty());
    lines.push_back(request_.method + " " + request_.target + " " + (outcome->empty() ? text : *outcome));
    over_ = closed_ || !outcome->empty();
    if (!outcome->empty()) closed_ = false;
    if (outcome->empty()) taken.push_back(request_);
    return true;
  }

  bool refuse(int status, std::string_view code) {
    lines.push_back(std::to_string(status) + " " + std::string(code));
    over_ = true;
    closed_ = false;
    return false;
  }

  std::string buffer_;
  BodyReading body_;
  Request request_;
  bool closed_ = false;  // the request says that it is the last
  bool over_ = false;
};

// What a connection makes of the bytes of an upstream that was asked one thing, and then closed.
class ResponseReading {
 public:
  Lines lines;

  explicit ResponseReading(std::string method) : method_(std::move(method)) {}

  void feed(std::string_view piece) {
    buffer_ += piece;
    while (!over_ && (body_.going_on() ? read_body() : read_head())) {
    }
  }

  void end() {
    if (body_.going_on()) {
      const bool well = body_.ends_with_the_connection();
      lines.push_back(status_ + " " + body_.end(well) + (well ? "" : " cut"));
    } else if (!over_) {
      lines.emplace_back("cut");
    } else if (answered_ && !buffer_.empty()) {
      lines.back() += " +" + std::to_string(buffer_.size());
    }
  }

 private:
  bool read_head() {
    ScannedHead head;
    const auto scan = scan_response_head(buffer_, {}, head);
    if (scan.outcome == HeadScan::Outcome::need_more) return false;
    if (scan.outcome == HeadScan::Outcome::refused) {
      lines.emplace_back(scan.refusal.code);
      over_ = true;
      return false;
    }
    status_ = std::to_string(head.status);
    const auto framing = response_framing(head, method_);
    buffer_.erase(0, head.head_bytes);
    if (head.status / 100 == 1)
      lines.push_back(status_);
    else
      body_.begin(framing);
    return true;
  }

  bool read_body() {
    const auto outcome = body_.read(buffer_);
    if (!outcome) return false;
    lines.push_back(status_ + " " + body_.end(outcome->empty()) + (outcome->empty() ? "" : outcome->substr(3)));
    over_ = true;
    answered_ = outcome->empty();
    return false;
  }

  std::string method_;
  std::string buffer_;
  std::string status_;
  BodyReading body_;
  bool answered_ = false;
  bool over_ = false;
};

// What goes on is a whole head, for the upstream and for no other, and means what it meant.
void check_forwarded(const Request& request, const json& row) {
  CHECK(request.origin.text() == "http://api.test");
  const auto bytes = forwarded_head(request, std::nullopt);
  ScannedHead head;
  REQUIRE(scan_request_head(bytes, {}, head).outcome == HeadScan::Outcome::complete);
  CHECK(head.head_bytes == bytes.size());
  CHECK(head.method == request.method);
  CHECK(head.target == request.target);
  CHECK(request_framing(head).framing == request.body.framing);
  const auto host = parse_authority(head.find("Host"));
  REQUIRE(host.has_value());
  CHECK(host->host == "api.test");
  if (!row.contains("forwarded")) return;
  Lines fields, expected;
  for (const auto& field : head.fields) {
    if (field.name != "Host") fields.push_back(std::string(field.name) + ": " + std::string(field.value));
  }
  for (const auto& field : row["forwarded"]) expected.push_back(bytes_of(field));
  CHECK(joined(fields) == joined(expected));
}

}  // namespace

TEST_CASE("hostile requests are read as the table says, however they come in") {
  const auto rows = table("tests/proxy/http/hostile_requests.json");
  CHECK(rows.size() >= rows_min);
  for (const auto& row : rows) {
    const std::string name = row.at("name");
    CAPTURE(name);
    const auto message = message_of(row);
    const auto expected = joined(expected_of(row));
    for (const auto& pieces : deliveries_of(message)) {
      const auto delivery = text_of(pieces);
      CAPTURE(delivery);
      RequestReading reading;
      for (const auto& piece : pieces) reading.feed(piece);
      reading.end();
      CHECK(joined(reading.lines) == expected);
      if (pieces.size() != 1) continue;
      for (const auto& request : reading.taken) check_forwarded(request, row);
    }
  }
}

TEST_CASE("hostile responses are read as the table says, however they come in") {
  const auto rows = table("tests/proxy/http/hostile_responses.json");
  CHECK(rows.size() >= rows_min);
  for (const auto& row : rows) {
    const std::string name = row.at("name");
    CAPTURE(name);
    const auto message = message_of(row);
    const auto expected = joined(expected_of(row));
    for (const auto& pieces : deliveries_of(message)) {
      const auto delivery = text_of(pieces);
      CAPTURE(delivery);
      ResponseReading reading(row.value("method", "GET"));
      for (const auto& piece : pieces) reading.feed(piece);
      reading.end();
      CHECK(joined(reading.lines) == expected);
    }
  }
}
