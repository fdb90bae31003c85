#include "storage/redaction/body_stream.hpp"

namespace tapedeck {

Result<RedactedBytes> BodyRedactionStream::push(std::string_view received) {
  return RedactedBytes(std::string(received));
}

Result<RedactedBytes> BodyRedactionStream::finish() {
  return RedactedBytes();
}

}  // namespace tapedeck
