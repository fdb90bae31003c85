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

// Bytes of a body with nothing secret in them. Only a BodyRedactionStream makes them, and of a body that is too large to
// be redacted as a whole a CassetteWriter takes nothing else.
class RedactedBytes {
 public:
  RedactedBytes() = default;
  const std::string& bytes() const { return bytes_; }

 private:
  friend class BodyRedactionStream;
  explicit RedactedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// Redacts one body as it comes, in bounded memory whatever its size. A Redactor makes one, for the message whose head it
// was given; it belongs to one thread and must not outlive the Redactor.
class BodyRedactionStream {
 public:
  // Takes what was received next and hands out what may be kept of all that came so far, which may lag behind it: what
  // could be the beginning of a secret is held back.
  Result<RedactedBytes> push(std::string_view received);
  // The body is over, or was cut here: hands out the rest.
  Result<RedactedBytes> finish();

  // How the bytes handed out stand to those received; final after finish().
  BodyForm form() const { return form_; }
  // Which rules fired how often; to be asked once, after finish().
  std::vector<RedactionCount> take_counts() { return std::move(counts_); }

 private:
  friend class Redactor;
  BodyRedactionStream() = default;

  BodyForm form_ = BodyForm::verbatim;
  std::vector<RedactionCount> counts_;
};

}  // namespace tapedeck
