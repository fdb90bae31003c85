#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "config/profile.hpp"
#include "storage/redaction/redacted_exchange.hpp"

namespace tapedeck {

// Takes secrets out of exchanges before anything is kept, shown or compared. Built-in rules hold for every host;
// a profile's rules for its own hosts. Immutable after construction and shared by all workers.
// Redaction is idempotent: redacting a placeholder gives the placeholder.
class Redactor {
 public:
  Redactor(std::vector<Profile> profiles, const Limits& limits);

  // Redacts both messages. A body that cannot be decoded within the limits is an error (it could hide a secret):
  // Failure `redaction-impossible`, blame us.
  Result<RedactedExchange> redact(Exchange exchange) const;

  // The request alone, by the same rules, so that a live request compares equal to its recording. Called for every
  // request that misses the memo of the replay path; changes `request` in place.
  Result<void> redact_request(Request& request) const;

  // For log lines and error texts: a target with the values of secret query keys replaced.
  std::string redact_target(const Origin& origin, std::string_view target) const;

 private:
  std::vector<Profile> profiles_;
  Limits limits_;
};

}  // namespace tapedeck
