#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "storage/exchange/exchange.hpp"
#include "storage/redaction/redactor.hpp"
#include "storage/scan/finding.hpp"
#include "storage/scan/literal_forms.hpp"

namespace tapedeck {

// Looks for secrets that an exchange still holds although it was redacted, in four ways: what redaction would still
// change, the secrets that the user named, values of a form that only secrets have, and random strings. It shows what
// is left when a rule was missing as the exchange was recorded, or when a cassette came from elsewhere.
class SecretScanner {
 public:
  static constexpr std::size_t findings_max = 100;  // in one exchange; the rest are of the same kind

  // The redactor must outlive the scanner.
  SecretScanner(const Redactor& redactor, const std::vector<LiteralSecret>& secrets, const Limits& limits);

  // In the order of the places; of what overlaps only the first way to find it is told. `body_offset` is where in the
  // whole body those bytes begin that the exchange has of it.
  std::vector<Finding> scan(Exchange exchange, std::uint64_t body_offset = 0) const;

 private:
  const Redactor& redactor_;
  std::vector<LiteralForms> literals_;
  std::size_t decoded_bytes_max_;
};

}  // namespace tapedeck
