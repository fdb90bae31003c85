#pragma once

#include <optional>
#include <string_view>

#include "storage/redaction/json_secrets.hpp"
#include "storage/redaction/loose_secrets.hpp"
#include "storage/redaction/pair_secrets.hpp"

namespace tapedeck {

// What a Content-Type asks to try first. It says no more: JSON is sent as text, as octets and as a form, and the other
// way round.
enum class BodyKind { form, text, multipart, event_stream, opaque };
BodyKind kind_of(std::string_view content_type);

// Finds secrets in one text by what it begins like: JSON, a form, or something with pairs in it.
class TextFinder {
 public:
  TextFinder(BodyKind kind, const RuleScope& scope) : kind_(kind), scope_(scope) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  bool choose(std::string_view window, bool last, std::size_t& begin);

  BodyKind kind_;
  RuleScope scope_;
  bool at_beginning_ = true;
  bool space_before_ = false;
  std::optional<JsonFinder> json_;
  std::optional<PairFinder> pairs_;
  std::optional<LooseFinder> loose_;
};

}  // namespace tapedeck
