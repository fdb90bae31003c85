#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/redaction/body_finder.hpp"
#include "storage/redaction/known_secrets.hpp"

namespace tapedeck {

// Redacts a text as it comes: first by the rules for its type, then by the secrets that are known. What it holds is
// bounded: what a finder holds back, as far as a known secret may reach, and a step.
class TextRedaction {
 public:
  static constexpr std::size_t default_step_bytes = 64 * 1024;

  // Not less than `step_bytes` are looked through at a time.
  TextRedaction(std::string_view content_type, const RuleScope& scope, std::shared_ptr<KnownSecrets> secrets,
                std::size_t step_bytes = default_step_bytes);

  // Both append what is settled to `redacted`.
  void push(std::string_view text, std::string& redacted);
  void finish(std::string& redacted);

  bool changed() const { return changed_; }
  Tally& tally() { return tally_; }

 private:
  void apply_rules(bool last);
  void remove_known(bool last, std::string& redacted);

  RuleScope scope_;
  std::shared_ptr<KnownSecrets> secrets_;
  std::size_t step_bytes_;
  bool percent_coded_;
  BodyFinder finder_;
  std::string pending_;          // not settled by the rules
  std::size_t pending_new_ = 0;  // how much of it was not looked at
  std::string known_;            // settled by the rules, behind what is kept of before
  std::size_t known_from_ = 0;   // where the part begins that is not handed out
  bool changed_ = false;
  std::size_t learned_left_ = KnownSecrets::learned_of_stream_max;
  Tally tally_;
};

}  // namespace tapedeck
