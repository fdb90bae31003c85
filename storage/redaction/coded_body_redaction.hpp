#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/result.hpp"
#include "storage/exchange/headers.hpp"
#include "storage/redaction/coding_streams.hpp"
#include "storage/redaction/text_redaction.hpp"

namespace tapedeck {

// Undoes a body's content coding as it comes, redacts the text, and codes it again.
class CodedBodyRedaction {
 public:
  CodedBodyRedaction(const Headers& headers, const RuleScope& scope, std::shared_ptr<KnownSecrets> secrets,
                     std::size_t step_bytes = TextRedaction::default_step_bytes);

  // Both append what is settled to `redacted`.
  Result<void> push(std::string_view received, std::string& redacted);
  Result<void> finish(std::string& redacted);

  bool changed() const { return decoder_ != nullptr || text_.changed(); }
  Tally& tally() { return text_.tally(); }

 private:
  Result<void> decode(std::string_view received, std::string& redacted);
  void take_as_plain(std::string& redacted);

  std::string coding_name_;
  std::unique_ptr<ContentDecoder> decoder_;  // null where the bytes are the text
  std::unique_ptr<ContentEncoder> encoder_;
  TextRedaction text_;
  std::string beginning_;  // until the first text came of it: it may not be coded at all
  std::uint64_t received_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
  bool broken_ = false;
  bool ended_ = false;
};

}  // namespace tapedeck
