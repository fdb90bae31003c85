#include "storage/redaction/body_stream.hpp"

#include "storage/redaction/coded_body_redaction.hpp"

namespace tapedeck {

BodyRedactionStream::BodyRedactionStream(std::unique_ptr<CodedBodyRedaction> body) : body_(std::move(body)) {
}

BodyRedactionStream::~BodyRedactionStream() = default;

Result<RedactedBytes> BodyRedactionStream::push(std::string_view received) {
  std::string bytes;
  bytes_received_ += received.size();
  if (auto done = body_->push(received, bytes); !done) return done.error();
  bytes_handed_out_ += bytes.size();
  return RedactedBytes(std::move(bytes));
}

Result<RedactedBytes> BodyRedactionStream::finish() {
  std::string bytes;
  if (auto done = body_->finish(bytes); !done) return done.error();
  bytes_handed_out_ += bytes.size();
  return RedactedBytes(std::move(bytes));
}

BodyForm BodyRedactionStream::form() const {
  return body_->changed() ? BodyForm::edited : BodyForm::verbatim;
}

std::vector<RedactionCount> BodyRedactionStream::take_counts() {
  return body_->tally().take();
}

}  // namespace tapedeck
