#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "storage/redaction/secret_patterns.hpp"
#include "storage/redaction/text_edits.hpp"

namespace tapedeck {

// The secrets that are looked for by their value: those that the user named, and those that were seen in a slot for
// credentials. All workers share one; who searches takes the lock no longer than a pointer is copied.
class KnownSecrets {
 public:
  static constexpr std::size_t learned_max = 1024;  // the one that was not seen for the longest time is forgotten first
  // An exchange must not push out what it has taught itself before it is searched, whatever it lists. So all that is
  // found at once takes a half at most, and each of two bodies that are redacted as they come a quarter.
  static constexpr std::size_t learned_at_once_max = learned_max / 2;
  static constexpr std::size_t learned_of_stream_max = learned_max / 4;
  static constexpr std::size_t learned_length_min = 12;

  explicit KnownSecrets(const std::vector<LiteralSecret>& literals);

  // What requests are searched for: their redaction must not depend on what came before.
  const SecretPatterns& literals() const { return *literals_; }
  // What responses are searched for.
  std::shared_ptr<const SecretPatterns> all() const;

  // The first come first: values are learned in pieces, and behind `learned_at_once_max` of those nothing is.
  void learn(const std::vector<FoundSecret>& found);
  // For one text that is learned from step by step; takes what it learns from `pieces_left`.
  void learn(const std::vector<FoundSecret>& found, std::size_t& pieces_left);

 private:
  bool learn(const FoundSecret& found, std::size_t& pieces_left);
  bool learn_value(std::string_view value, const SecretRule& rule, std::size_t& pieces_left);
  void forget_oldest();

  std::vector<KnownSecretPointer> named_;
  std::shared_ptr<const SecretPatterns> literals_;

  mutable std::mutex mutex_;              // guards what follows
  std::list<KnownSecretPointer> by_age_;  // the one not seen for the longest time first
  std::map<std::string_view, std::list<KnownSecretPointer>::iterator> by_value_;
  std::shared_ptr<const SecretPatterns> all_;
};

// Whether a value that stood in a slot for credentials is so much its own that it can be taken out wherever it stands:
// long enough, no placeholder, not a number, a word or a name that a cookie keeps for convenience.
bool is_worth_learning(std::string_view value, const SecretRule& rule);

}  // namespace tapedeck
