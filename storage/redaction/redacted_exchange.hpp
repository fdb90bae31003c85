#pragma once

#include <string>
#include <utility>
#include <vector>

#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// How often a rule fired in one exchange; `rule` reads "json client_secret" or "header authorization".
struct RedactionCount {
  std::string rule;
  std::uint64_t times = 0;
};

// An exchange with nothing secret in it. Only a Redactor makes one, and a CassetteWriter takes nothing else, so that
// what reaches the disk has passed the rules by construction.
class RedactedExchange {
 public:
  const Exchange& exchange() const { return exchange_; }
  const std::vector<RedactionCount>& counts() const { return counts_; }

  // The recording order is known only when the exchange is kept.
  void set_finished_number(std::uint64_t number) { exchange_.finished_number = number; }

 private:
  friend class Redactor;
  RedactedExchange(Exchange exchange, std::vector<RedactionCount> counts)
      : exchange_(std::move(exchange)), counts_(std::move(counts)) {}

  Exchange exchange_;
  std::vector<RedactionCount> counts_;
};

}  // namespace tapedeck
