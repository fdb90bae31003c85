#include "storage/redaction/text_redaction.hpp"

#include <algorithm>

#include "storage/redaction/echoes.hpp"

namespace tapedeck {

TextRedaction::TextRedaction(std::string_view content_type, const RuleScope& scope,
                             std::shared_ptr<KnownSecrets> secrets, std::size_t step_bytes)
    : scope_(scope),
      secrets_(std::move(secrets)),
      step_bytes_(step_bytes),
      percent_coded_(kind_of(content_type) == BodyKind::form),
      finder_(content_type, scope) {
}

void TextRedaction::push(std::string_view text, std::string& redacted) {
  while (!text.empty()) {
    const auto piece = text.substr(0, step_bytes_ - std::min(step_bytes_ - 1, pending_new_));
    text.remove_prefix(piece.size());
    pending_.append(piece);
    pending_new_ += piece.size();
    if (pending_new_ < step_bytes_) return;
    apply_rules(false);
    remove_known(false, redacted);
  }
}

void TextRedaction::finish(std::string& redacted) {
  apply_rules(true);
  remove_known(true, redacted);
}

void TextRedaction::apply_rules(bool last) {
  TextEdits edits;
  const auto settled = finder_.find(pending_, last, edits);
  pending_new_ = 0;
  if (edits.empty()) {
    known_.append(pending_, 0, settled);
  } else {
    known_.append(edited(std::string_view(pending_).substr(0, settled), edits));
    changed_ = true;
    tally_.add(edits);
    tally_.found(pending_, edits);
    secrets_->learn(tally_.take_found(), learned_left_);
  }
  pending_.erase(0, settled);
}

void TextRedaction::remove_known(bool last, std::string& redacted) {
  const auto all = scope_.is_response ? secrets_->all() : nullptr;
  const auto& patterns = all ? *all : secrets_->literals();
  const auto reach = patterns.empty() || last ? 0 : echo_reach_bytes;
  const auto until = std::max(known_from_, known_.size() - std::min(known_.size(), reach));
  // What stands around is searched as well, so a longer step costs less.
  if (!last && until - known_from_ < 2 * step_bytes_) return;
  TextEdits edits;
  find_echoes(known_, known_from_, until, patterns, scope_.table, percent_coded_, edits);
  changed_ = changed_ || !edits.empty();
  for (auto& edit : edits) {
    edit.begin -= known_from_;
    edit.end -= known_from_;
  }
  const auto settled = std::string_view(known_).substr(known_from_, until - known_from_);
  if (edits.empty())
    redacted += settled;
  else
    redacted += edited(settled, edits);
  tally_.add(edits);
  const auto kept = std::min(until, echo_reach_bytes);
  known_.erase(0, until - kept);
  known_from_ = kept;
}

}  // namespace tapedeck
