#pragma once

#include <string_view>

#include "storage/redaction/finding.hpp"

namespace tapedeck {

// Finds secrets in `key=value` pairs: forms, and the query and fragment of URLs.

struct PairScan {
  RuleScope scope;
  SecretPlace place = SecretPlace::query;
  bool is_redirect = false;   // the URL that a redirect names
  bool json_escaped = false;  // the pairs stand in a JSON string, where `&` may be \u0026
};

class PairFinder {
 public:
  explicit PairFinder(const PairScan& scan) : scan_(scan) {}
  std::size_t find(std::string_view window, bool last, TextEdits& edits);

 private:
  enum class Inside { pairs, secret, harmless };

  bool pair(std::size_t& at, bool last);
  bool rest_of_long_value(std::size_t& at, bool last);
  std::size_t force(std::size_t at);
  std::size_t separator_size(std::size_t at) const;
  bool is_escaped_ampersand(std::size_t at) const;
  std::size_t key_end(std::size_t at) const;
  std::size_t secret_end(std::size_t at) const;
  void take_value(const SecretRule& rule, std::size_t begin, std::size_t end);
  bool fires(const TextEdit& edit) const;
  void resolve_waiting();

  PairScan scan_;
  std::string_view text_;  // the window
  std::size_t read_ = 0;   // how much of it was read before
  HeldEdits held_;
  TextEdits waiting_;  // what is a secret only beside something that may still come
  const SecretRule* long_secret_ = nullptr;
  Inside inside_ = Inside::pairs;
  bool code_grant_ = false;
  bool password_grant_ = false;
  bool beside_state_ = false;
};

// Looks through the pairs in `text` from `begin` to `end`. Offsets are those of `text`.
void find_pair_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                       TextEdits& edits);

// Looks through the userinfo, query and fragment of the URL (or reference) from `begin` to `end`.
void find_url_secrets(std::string_view text, std::size_t begin, std::size_t end, const PairScan& scan,
                      TextEdits& edits);

// How many bytes are enough to ask the following.
constexpr std::size_t form_beginning_bytes = 512;
// Whether an unnamed text may be a form: no spaces or markup at its beginning, and pairs.
bool looks_like_form(std::string_view text);

}  // namespace tapedeck
