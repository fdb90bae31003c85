#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/redaction/text_secrets.hpp"

namespace tapedeck {

// Finds secrets in the parts of a multipart body (RFC 2046 §5.1): a part whose name is a secret key is one (RFC 7578
// §4.2), others are looked through as their own Content-Type says. What stands around the parts, and their heads, are
// looked through as text: the body need not be what it is called. Boundaries stay.
class MultipartFinder {
 public:
  MultipartFinder(std::string_view boundary, const RuleScope& scope)
      : delimiter_("--" + std::string(boundary)), scope_(scope), part_(std::in_place, BodyKind::text, scope) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  enum class Inside { head, content, secret_content, end_of_parts };

  struct Delimiter {
    std::size_t begin = 0;  // with the line end before it, which is not part of the content
    std::size_t end = 0;
    bool found = false;
  };

  Delimiter next_delimiter(std::size_t at, bool last) const;
  std::size_t kept(std::size_t at) const;
  bool head(std::size_t& at, bool last, TextEdits& edits);
  bool content(std::size_t& at, bool last, TextEdits& edits);
  bool secret_content(std::size_t& at, bool last, TextEdits& edits);
  bool end_of_parts(std::size_t& at);
  void open_text();
  bool open_part(std::string_view head);

  std::string delimiter_;
  RuleScope scope_;
  std::string_view text_;            // the window
  Inside inside_ = Inside::content;  // of the text before the first part, to begin with
  bool line_begins_ = true;          // at the window's first byte
  const SecretRule* rule_ = nullptr;
  bool passing_ = false;            // a secret too long to be held goes by
  std::optional<TextFinder> part_;  // or the text around the parts
};

// The boundary parameter of a Content-Type, or nothing.
std::optional<std::string> multipart_boundary(std::string_view content_type);

}  // namespace tapedeck
