#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/exchange/body.hpp"
#include "storage/exchange/headers.hpp"
#include "storage/redaction/content_coding.hpp"
#include "storage/redaction/secret_patterns.hpp"
#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// The redaction of a body that is held as a whole. Its coding is undone once, for both searches. If neither finds
// anything its bytes stay as received; else only the bytes of the secrets change and the text is coded again in its own
// content coding.
//
// A body whose known coding cannot be undone to its end is read as far as it goes. If a secret stands there, what could
// be read is kept, redacted, with its coding left open; if not, the bytes stay, after a look at them as plain text,
// since a body is often called gzip without being so. Both cases, and bodies in a coding that is not known, are counted
// as "undecodable gzip" or "undecoded compress", so that a person can look.
class BodyRedaction {
 public:
  // Failure `redaction-impossible` when the decoded body is over `decoded_bytes_max`. Headers and body must outlive
  // this.
  static Result<BodyRedaction> open(const Headers& headers, Body& body, std::size_t decoded_bytes_max, Tally* tally);

  void apply_rules(const RuleScope& scope, Tally* tally);
  // Where a known secret reaches over the end of a pair, what is left looks otherwise to the rules, so these are
  // applied once more.
  void remove_known(const SecretPatterns& patterns, const RuleScope& scope, Tally* tally);
  // Writes the body anew when something was found; true then.
  bool close();

 private:
  BodyRedaction(std::string_view content_type, Body& body) : content_type_(content_type), body_(&body) {}
  template <typename Find>
  bool replace(Find find, Tally* tally, bool learns);

  std::string_view content_type_;
  Body* body_;
  std::optional<ContentCoding> coding_;  // that was undone
  bool whole_ = true;
  std::string text_;
  bool text_changed_ = false;
  bool bytes_changed_ = false;
};

// All Content-Encoding fields as one value: several of them are a list, which is not undone.
std::string_view content_encoding_of(const Headers& headers);

// What counts call a coding. Names come from outside, so only known ones are repeated.
std::string_view coding_name(std::string_view content_encoding);

}  // namespace tapedeck
