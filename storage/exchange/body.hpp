#pragma once

#include <string>

namespace tapedeck {

// How the bytes of a body stand to those that were received (cassette format 1, column `form`).
enum class BodyForm {
  verbatim,  // as received, content coding included
  edited,    // redaction changed it and it was coded again in its own coding
  identity,  // redaction changed it and it is kept without the coding that Content-Encoding names
};

// How a message said where its body ends (RFC 9112 §6.3).
enum class BodyFraming { none, content_length, chunked, until_close };

struct Body {
  std::string bytes;
  BodyForm form = BodyForm::verbatim;
  BodyFraming framing = BodyFraming::none;
};

}  // namespace tapedeck
