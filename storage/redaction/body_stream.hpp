#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.hpp"
#include "storage/exchange/body.hpp"
#include "storage/redaction/redacted_exchange.hpp"

namespace tapedeck {

class CodedBodyRedaction;

// Bytes of a body with nothing secret in them. Only a BodyRedactionStream makes them, and of a body that is too large
// to be redacted as a whole a CassetteWriter takes nothing else.
class RedactedBytes {
 public:
  RedactedBytes() = default;
  const std::string& bytes() const { return bytes_; }

 private:
  friend class BodyRedactionStream;
  explicit RedactedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// Redacts one body as it comes, in bounded memory whatever its size. A Redactor makes one, for the message whose head
// it was given; it belongs to one thread and must not outlive the Redactor.
//
// A body in a known content coding is decoded, redacted and coded again as it comes, so its form is `edited` whether or
// not something is found. Where its coding is broken the rest is dropped and counted.
class BodyRedactionStream {
 public:
  ~BodyRedactionStream();

  // Takes what was received next and hands out what may be kept of all that came so far, which may lag behind it: what
  // could be the beginning of a secret is held back. Failure `redaction-impossible` when decoding makes far too much of
  // what was received.
  Result<RedactedBytes> push(std::string_view received);
  // The body is over, or was cut here: hands out the rest.
  Result<RedactedBytes> finish();

  // How the bytes handed out stand to those received; final after finish().
  BodyForm form() const;
  // Which rules fired how often; to be asked once, after finish().
  std::vector<RedactionCount> take_counts();

  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_handed_out() const { return bytes_handed_out_; }

 private:
  friend class Redactor;
  explicit BodyRedactionStream(std::unique_ptr<CodedBodyRedaction> body);

  std::unique_ptr<CodedBodyRedaction> body_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_handed_out_ = 0;
};

}  // namespace tapedeck
