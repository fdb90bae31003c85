#pragma once

#include <string_view>

namespace tapedeck {

// IPv4 dotted, or IPv6 without brackets and zone.
bool is_ip_literal(std::string_view name);

// A lower-case DNS name without a dot at its end: letters, digits, '-' and '_', labels of 63, 253 in all.
bool is_dns_name(std::string_view name);

}  // namespace tapedeck
