#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "storage/scan/finding.hpp"

namespace tapedeck {

// The texts in which one known secret can stand: as it is, and in every encoding that a message may have put it in.
// Made here and not taken from the redactor, so that what scans is a second opinion about what redacts.
class LiteralForms {
 public:
  explicit LiteralForms(const LiteralSecret& secret);

  void find_in(std::string_view text, std::vector<SuspectSpan>& found) const;

 private:
  struct Form {
    std::string text;
    std::string_view name;
  };
  void add(std::string text, std::string_view name);

  std::string placeholder_class_;
  std::vector<Form> forms_;
};

}  // namespace tapedeck
