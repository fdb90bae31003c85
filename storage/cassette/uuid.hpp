#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck {

using Uuid = std::array<std::uint8_t, 16>;

// Sets version 4 and the variant in 16 random bytes (RFC 4122 §4.4).
Uuid uuid_from_random(Uuid random);
// "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx" of 16 bytes.
std::string uuid_text(std::string_view bytes);
std::string_view uuid_bytes(const Uuid& uuid);

}  // namespace tapedeck
