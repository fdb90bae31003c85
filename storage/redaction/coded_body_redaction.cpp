#include "storage/redaction/coded_body_redaction.hpp"

#include <algorithm>

#include "storage/redaction/body_secrets.hpp"

namespace tapedeck {

namespace {

// Deflate makes at most 1032 bytes of one, so only what is made to be a bomb reaches this.
constexpr std::uint64_t decoded_ratio_max = 1100;
constexpr std::uint64_t decoded_bytes_free = 64 * 1024 * 1024;
constexpr std::size_t beginning_bytes_max = 64 * 1024;

}  // namespace

CodedBodyRedaction::CodedBodyRedaction(const Headers& headers, const RuleScope& scope,
                                       std::shared_ptr<KnownSecrets> secrets, std::size_t step_bytes)
    : coding_name_(coding_name(content_encoding_of(headers))),
      text_(headers.find("content-type").value_or(""), scope, std::move(secrets), step_bytes) {
  const auto coding = content_coding_of(content_encoding_of(headers));
  if (!coding) {
    text_.tally().add("undecoded " + coding_name_);
  } else if (*coding != ContentCoding::identity) {
    decoder_ = make_decoder(*coding);
    encoder_ = make_encoder(*coding);
  }
}

Result<void> CodedBodyRedaction::push(std::string_view received, std::string& redacted) {
  received_bytes_ += received.size();
  if (decoder_ != nullptr) return decode(received, redacted);
  text_.push(received, redacted);
  return {};
}

Result<void> CodedBodyRedaction::decode(std::string_view received, std::string& redacted) {
  if (broken_) return {};
  if (decoded_bytes_ == 0 && beginning_.size() < beginning_bytes_max) {
    beginning_.append(received.substr(0, beginning_bytes_max - beginning_.size()));
  }
  std::string text;
  std::string clean;
  for (auto state = ContentDecoder::State::working; state == ContentDecoder::State::working;) {
    text.clear();
    clean.clear();
    state = decoder_->decode(received, text);
    decoded_bytes_ += text.size();
    if (decoded_bytes_ > decoded_bytes_free + decoded_ratio_max * received_bytes_) {
      return Failure{"redaction-impossible", Blame::us,
                     "a body is over " + std::to_string(decoded_ratio_max) +
                         " times as large when its content coding is undone, so it is not kept"};
    }
    text_.push(text, clean);
    if (!clean.empty()) encoder_->encode(clean, redacted);
    ended_ = state == ContentDecoder::State::ended;
    broken_ = state == ContentDecoder::State::corrupt;
  }
  if (broken_ && decoded_bytes_ == 0 && beginning_.size() == received_bytes_) {
    take_as_plain(redacted);
  } else if (broken_) {
    text_.tally().add("undecodable " + coding_name_);
  }
  if (decoded_bytes_ > 0) beginning_ = {};
  return {};
}

// Not a byte could be decoded: a body is often called gzip without being so.
void CodedBodyRedaction::take_as_plain(std::string& redacted) {
  text_.tally().add("undecodable " + coding_name_);
  decoder_.reset();
  encoder_.reset();
  text_.push(beginning_, redacted);
  beginning_ = {};
}

Result<void> CodedBodyRedaction::finish(std::string& redacted) {
  if (decoder_ == nullptr) {
    text_.finish(redacted);
    return {};
  }
  if (received_bytes_ == 0) return {};
  std::string clean;
  text_.finish(clean);
  encoder_->encode(clean, redacted);
  encoder_->finish(ended_ ? CodedEnd::closed : CodedEnd::open, redacted);
  if (!ended_ && !broken_) text_.tally().add("undecodable " + coding_name_);
  return {};
}

}  // namespace tapedeck
