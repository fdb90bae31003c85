#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/redaction/content_coding.hpp"

namespace tapedeck {

// Undoes a content coding as its bytes come.
class ContentDecoder {
 public:
  // Working: there is more to be had from what was given. Ended: the coded text is over with the bytes given.
  enum class State { working, hungry, ended, corrupt };

  virtual ~ContentDecoder() = default;
  // Takes bytes off the front of `coded` and appends to `text` what they mean, some 16 KiB at most.
  virtual State decode(std::string_view& coded, std::string& text) = 0;
};

// Codes a text as it comes. The same calls give the same bytes each time.
class ContentEncoder {
 public:
  virtual ~ContentEncoder() = default;
  virtual void encode(std::string_view text, std::string& coded) = 0;
  virtual void finish(CodedEnd end, std::string& coded) = 0;
};

// Null for `identity`.
std::unique_ptr<ContentDecoder> make_decoder(ContentCoding coding);
std::unique_ptr<ContentEncoder> make_encoder(ContentCoding coding);

}  // namespace tapedeck
