#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/redaction/rules.hpp"

namespace tapedeck {

// One look that a secret can have once escapes are undone: its characters, their base64 at one of three alignments, or
// their hexadecimal form.
struct SecretPattern {
  std::string text;  // normalised
  bool base64 = false;
  std::uint8_t quad_offset = 0;  // in base64: how many digits of its group of four stand before the text
};

// A secret that is searched for, and what stands for it.
struct KnownSecret {
  // `rule` gives the name and the texts.
  KnownSecret(std::string_view value, SecretRule rule);

  std::string value;
  SecretRule rule;
  std::vector<SecretPattern> patterns;
};
using KnownSecretPointer = std::shared_ptr<const KnownSecret>;

// Many patterns found in one pass (after Wu and Manber: most bytes are never looked at). Immutable.
class SecretPatterns {
 public:
  explicit SecretPatterns(std::vector<KnownSecretPointer> secrets);

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    const KnownSecret* secret = nullptr;
    const SecretPattern* pattern = nullptr;
  };

  bool empty() const { return entries_.empty(); }
  std::size_t shortest() const { return window_; }
  std::size_t longest() const { return longest_; }
  // The first match that begins at `from` or behind it, the longest of its place; its secret is null when there is
  // none. `normalised` is a text after normalise().
  Match find(std::string_view normalised, std::size_t from) const;

  // `+`, `-` and space are one character to a search, and so are `/` and `_`: forms write a space as a plus, and the
  // two alphabets of base64 (RFC 4648 §4, §5) differ in them.
  static void normalise(std::string_view text, std::string& result);

 private:
  struct Entry {
    const SecretPattern* pattern;
    const KnownSecret* secret;
    std::int32_t shorter;  // the longest entry that this one begins with, or -1
  };

  void index();
  const Entry* longest_at(std::string_view text) const;

  std::vector<KnownSecretPointer> secrets_;
  std::vector<Entry> entries_;  // sorted by text
  std::size_t longest_ = 0;
  std::size_t window_ = 0;              // bytes of every pattern that are looked at first
  std::vector<std::uint8_t> shifts_;    // by the hash of four bytes: how far the window may move
  std::vector<std::uint32_t> buckets_;  // by the hash of the window: 1 + the last entry that begins so
};

}  // namespace tapedeck
