#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"
#include "config/profile.hpp"
#include "storage/redaction/body_stream.hpp"
#include "storage/redaction/redacted_exchange.hpp"

namespace tapedeck {

class CodedBodyRedaction;
class KnownSecrets;
class RuleTable;
class SecretPatterns;
struct RuleScope;
class Tally;

// Takes secrets out of exchanges before anything is kept, shown or compared. Built-in rules hold for every host;
// a profile's rules for its own hosts. Shared by all workers.
// Redaction is idempotent: redacting a placeholder gives the placeholder.
//
// Beside the rules there are values that are secret wherever they stand and in whatever coding: those of `literals`, in
// requests and responses, and those that rules found in a slot for credentials, which are learned and taken out of
// responses from then on. What becomes of a request is thus a function of the rules and that request alone, and live
// requests compare equal to recorded ones.
class Redactor {
 public:
  // Throws std::invalid_argument when a profile's rule cannot work: a start-up failure.
  Redactor(std::vector<Profile> profiles, const Limits& limits, std::vector<LiteralSecret> literals = {});

  // Redacts both messages. A body that is too large when decoded is an error (it could hide a secret): Failure
  // `redaction-impossible`, blame us. Bodies that are corrupt or in an unknown coding: see BodyRedaction.
  // Where a body was changed, the places of its chunks in `events` are scaled to the new size.
  Result<RedactedExchange> redact(Exchange exchange) const;

  // For a body that is too large to be held: a stream for each such body, made once its head is known, and in the end
  // the exchange without those bodies' bytes. `request` and `response` are the streams, or null for a body that is in
  // the exchange. An exchange whose bodies still come is redacted likewise, with its state `open`; what depends on
  // whether a body was changed (digests of it) is then taken as if it was.
  std::unique_ptr<BodyRedactionStream> stream_request_body(const Request& head) const;
  std::unique_ptr<BodyRedactionStream> stream_response_body(const Request& request_head, const Response& head) const;
  Result<RedactedExchange> redact_long(Exchange exchange, BodyRedactionStream* request,
                                       BodyRedactionStream* response) const;

  // The request alone, by the same rules, so that a live request compares equal to its recording. Called for every
  // request that misses the memo of the replay path; changes `request` in place and learns nothing.
  Result<void> redact_request(Request& request) const;

  // For log lines and error texts: a target with the values of secret query keys replaced, and any text without the
  // secrets that are known by now.
  std::string redact_target(const Origin& origin, std::string_view target) const;
  std::string redact_text(std::string_view text) const;

 private:
  RuleScope scope_of(const Origin& origin, bool is_response) const;
  std::unique_ptr<BodyRedactionStream> stream(const Headers& headers, const RuleScope& scope) const;
  Result<RedactedExchange> redact(Exchange exchange, BodyRedactionStream* request, BodyRedactionStream* response) const;
  Result<void> redact_request(Request& request, bool body_elsewhere_changed, Tally* tally) const;
  Result<void> redact_response(const Origin& origin, Response& response, bool body_elsewhere_changed,
                               Tally& tally) const;
  void apply_rules_to_target(Request& request, const RuleScope& scope, Tally* tally) const;
  bool remove_known(std::string& text, const SecretPatterns& patterns, bool percent_coded, Tally* tally) const;
  bool remove_known(Headers& headers, const SecretPatterns& patterns, Tally* tally) const;
  void remove_known(Headers& headers, const SecretPatterns& patterns, const RuleScope& scope, bool is_redirect,
                    Tally* tally) const;

  std::vector<Profile> profiles_;
  Limits limits_;
  std::shared_ptr<const RuleTable> rules_;
  std::shared_ptr<KnownSecrets> known_;
};

}  // namespace tapedeck
