#include "proxy/connection/session_choice.hpp"

#include <optional>

#include <openssl/evp.h>

#include "config/parse_values.hpp"

namespace tapedeck {

namespace {

// More than a name and a long password; EVP_DecodeBlock takes an int.
constexpr std::size_t credentials_bytes_max = 4096;

Failure bad_session(std::string_view where) {
  return {"bad-session", Blame::client,
          std::string(where) + " is no session name; write 1 to 64 letters, digits, '-', '_' or '.'"};
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > credentials_bytes_max) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int decoded =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (decoded < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(decoded));
  return bytes;
}

// The user of Basic credentials (RFC 7617 §2). Nullopt for other schemes, which name nobody, and for what is no Basic.
std::optional<std::string> basic_user(std::string_view credentials) {
  constexpr std::string_view scheme = "Basic ";
  if (!equal_without_case(credentials.substr(0, scheme.size()), scheme)) return std::nullopt;
  credentials.remove_prefix(scheme.size());
  credentials.remove_prefix(std::min(credentials.find_first_not_of(' '), credentials.size()));
  const auto decoded = decode_base64(credentials);
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return decoded->substr(0, colon);
}

}  // namespace

std::string_view implied_session(const SessionSources& known) {
  if (!known.listener.empty()) return known.listener;
  return known.tunnel.empty() ? known.otherwise : known.tunnel;
}

bool names_session(const ScannedHead& head) {
  return head.contains("Tapedeck-Session") || head.contains("Proxy-Authorization");
}

Result<std::string> choose_session(const SessionSources& known, const ScannedHead& head) {
  if (!known.listener.empty()) return std::string(known.listener);
  if (head.contains("Tapedeck-Session")) {
    auto named = parse_session_name(head.find("Tapedeck-Session"));
    if (!named) return bad_session("Tapedeck-Session");
    return named;
  }
  if (const auto credentials = head.find("Proxy-Authorization"); !credentials.empty()) {
    const auto user = basic_user(credentials);
    if (user && !user->empty()) {
      auto named = parse_session_name(*user);
      if (!named) return bad_session("the user name for this proxy");
      return named;
    }
  }
  return std::string(implied_session(known));
}

}  // namespace tapedeck
