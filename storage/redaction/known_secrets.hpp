#pragma once

#include <cstdint>
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
  static constexpr std::size_t learned_length_min = 12;

  explicit KnownSecrets(const std::vector<LiteralSecret>& literals);

  // What requests are searched for: their redaction must not depend on what came before.
  const SecretPatterns& literals() const { return *literals_; }
  // What responses are searched for.
  std::shared_ptr<const SecretPatterns> all() const;

  void learn(const std::vector<FoundSecret>& found);

 private:
  struct Learned {
    std::uint64_t last_seen = 0;
    KnownSecretPointer secret;
  };

  bool learn(const FoundSecret& found);
  bool learn_value(std::string_view value, const SecretRule& rule);
  void forget_oldest();

  std::vector<KnownSecretPointer> named_;
  std::shared_ptr<const SecretPatterns> literals_;

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Learned, std::less<>> learned_;
  std::uint64_t seen_ = 0;
  std::shared_ptr<const SecretPatterns> all_;
};

// Whether a value that stood in a slot for credentials is so much its own that it can be taken out wherever it stands:
// long enough, no placeholder, not a number, a word or a name that a cookie keeps for convenience.
bool is_worth_learning(std::string_view value, const SecretRule& rule);

}  // namespace tapedeck
