#include "storage/scan/long_body_scan.hpp"

#include "storage/redaction/coding_streams.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t window_bytes = 1024 * 1024;
constexpr std::size_t overlap_bytes = 64 * 1024;

// Undoes the body's coding, if it has one that can be undone, and gathers what comes into windows.
class Windows {
 public:
  Windows(const Headers& headers, const Body& body, std::function<void(std::string_view, std::uint64_t, bool)> look)
      : look_(std::move(look)) {
    const auto coding = content_coding_of(headers.find("Content-Encoding").value_or(""));
    if (coding && body.form != BodyForm::identity) decoder_ = make_decoder(*coding);
  }

  void add(std::string_view piece) {
    if (!decoder_) {
      window_ += piece;
      return look_while_large();
    }
    while (!piece.empty()) {
      const auto state = decoder_->decode(piece, window_);
      look_while_large();
      if (state == ContentDecoder::State::hungry) return;
      if (state == ContentDecoder::State::working) continue;
      decoder_.reset();  // What follows is no part of the text, or no text: it is looked at as it is.
      window_ += piece;
      return look_while_large();
    }
  }

  void finish() { look_(window_, offset_, true); }

 private:
  void look_while_large() {
    while (window_.size() >= window_bytes + overlap_bytes) {
      const std::string_view window(window_);
      look_(window.substr(0, window_bytes + overlap_bytes), offset_, false);
      window_.erase(0, window_bytes);
      offset_ += window_bytes;
    }
  }

  std::function<void(std::string_view, std::uint64_t, bool)> look_;
  std::unique_ptr<ContentDecoder> decoder_;
  std::string window_;
  std::uint64_t offset_ = 0;
};

// An exchange with nothing in it but that window of a body.
Exchange exchange_around(std::string_view window, const StoredExchange& stored, Direction direction) {
  const auto& original = stored.exchange;
  Exchange around;
  around.request.origin = original.request.origin;
  around.request.method = original.request.method;
  around.request.target = "/";
  const bool is_request = direction == Direction::request;
  auto& headers = is_request ? around.request.headers : around.response.emplace().headers;
  const auto& original_headers = is_request ? original.request.headers : original.response->headers;
  if (const auto type = original_headers.find("Content-Type")) headers.add("Content-Type", *type);
  (is_request ? around.request.body : around.response->body).bytes = window;
  return around;
}

}  // namespace

Result<std::uint64_t> scan_long_body(CassetteReader& reader, const StoredExchange& stored, Direction direction,
                                     const SecretScanner& scanner, std::uint64_t bytes_max,
                                     const std::function<void(const Finding&)>& tell) {
  const bool is_request = direction == Direction::request;
  const auto& headers = is_request ? stored.exchange.request.headers : stored.exchange.response->headers;
  const auto& body = is_request ? stored.exchange.request.body : stored.exchange.response->body;
  Windows windows(headers, body, [&](std::string_view window, std::uint64_t offset, bool last) {
    for (const Finding& finding : scanner.scan(exchange_around(window, stored, direction), offset)) {
      // What begins in the overlap is found in the next window, whole.
      if (last || finding.at < offset + window_bytes) tell(finding);
    }
  });
  std::uint64_t looked_at = 0;
  auto read =
      reader.for_each_piece(is_request ? stored.request_body : stored.response_body, [&](std::string_view piece) {
        if (looked_at + piece.size() > bytes_max) return false;
        looked_at += piece.size();
        windows.add(piece);
        return true;
      });
  if (!read) return read.error();
  windows.finish();
  return looked_at;
}

}  // namespace tapedeck
