#include "proxy/tls/client_hello.hpp"

#include <cstdint>
#include <optional>

#include "proxy/tls/tls_names.hpp"

namespace tapedeck {
namespace {

// RFC 8446 §4, §5.1 and RFC 6066 §3.
constexpr std::uint8_t record_handshake = 22;
constexpr std::uint8_t version_major = 3;
constexpr std::uint8_t handshake_client_hello = 1;
constexpr std::uint16_t extension_server_name = 0;
constexpr std::uint8_t name_type_host = 0;
constexpr std::size_t record_header_bytes = 5;
constexpr std::size_t record_payload_bytes_max = 16 * 1024;
constexpr std::size_t handshake_header_bytes = 4;

// Takes big-endian numbers and length-prefixed stretches off the front; once something is missing, all is.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

  std::string_view take(std::size_t bytes) {
    if (bytes > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return taken;
  }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  std::string_view vector(std::size_t length_bytes) { return take(number(length_bytes)); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

// The handshake bytes that the records hold, a ClientHello may be cut over several (RFC 8446 §5.1).
struct Gathered {
  enum class State { need_more, whole, not_tls };
  State state = State::need_more;
  std::string message;  // without its header, when whole
};

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

Gathered gather(std::string_view bytes) {
  const Gathered not_tls{Gathered::State::not_tls, {}};
  std::string handshake;
  for (std::size_t at = 0; at < bytes.size();) {
    if (byte_at(bytes, at) != record_handshake) return not_tls;
    if (at + 1 < bytes.size() && byte_at(bytes, at + 1) != version_major) return not_tls;
    if (bytes.size() - at < record_header_bytes) break;
    const std::size_t length = byte_at(bytes, at + 3) << 8 | byte_at(bytes, at + 4);
    if (length == 0 || length > record_payload_bytes_max) return not_tls;
    at += record_header_bytes;
    const std::string_view payload = bytes.substr(at, length);
    handshake += payload;
    at += payload.size();

    if (!handshake.empty() && byte_at(handshake, 0) != handshake_client_hello) return not_tls;
    if (handshake.size() < handshake_header_bytes) continue;
    Cursor header(std::string_view(handshake).substr(1, 3));
    const std::size_t message_bytes = header.number(3);
    if (message_bytes > client_hello_bytes_max - handshake_header_bytes) return not_tls;
    if (handshake.size() - handshake_header_bytes >= message_bytes) {
      return {Gathered::State::whole, handshake.substr(handshake_header_bytes, message_bytes)};
    }
  }
  // One-byte records could otherwise carry a small message in a large stretch for ever.
  return bytes.size() > 2 * client_hello_bytes_max ? not_tls : Gathered{};
}

// Empty: the list is not well-formed, or the name in it is no host name.
std::optional<std::string> host_name_in(std::string_view extension) {
  Cursor outer(extension);
  Cursor list(outer.vector(2));
  if (!outer.ok() || !outer.at_end() || list.at_end()) return std::nullopt;
  const std::uint32_t type = list.number(1);
  std::string name(list.vector(2));
  // RFC 6066 has one type and at most one name of a type, so a second entry is nothing that a client means.
  if (!list.ok() || !list.at_end() || type != name_type_host) return std::nullopt;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!is_dns_name(name) && !is_ip_literal(name)) return std::nullopt;
  return name;
}

ClientHello read_message(std::string_view message) {
  const ClientHello not_tls{ClientHello::Outcome::not_tls, {}};
  Cursor hello(message);
  hello.take(2 + 32);  // legacy_version, random
  hello.vector(1);     // legacy_session_id
  hello.vector(2);     // cipher_suites
  hello.vector(1);     // legacy_compression_methods
  if (!hello.ok()) return not_tls;
  ClientHello result{ClientHello::Outcome::none, {}};
  if (hello.at_end()) return result;  // TLS 1.2 without extensions

  Cursor extensions(hello.vector(2));
  if (!hello.ok() || !hello.at_end()) return not_tls;
  while (!extensions.at_end()) {
    const std::uint32_t type = extensions.number(2);
    const std::string_view body = extensions.vector(2);
    if (!extensions.ok()) return not_tls;
    if (type != extension_server_name) continue;
    if (result.outcome == ClientHello::Outcome::name) return not_tls;
    auto name = host_name_in(body);
    if (!name) return not_tls;
    result = {ClientHello::Outcome::name, std::move(*name)};
  }
  return extensions.ok() ? result : not_tls;
}

}  // namespace

ClientHello parse_client_hello(std::string_view bytes) {
  Gathered gathered = gather(bytes);
  switch (gathered.state) {
    case Gathered::State::need_more:
      return {};
    case Gathered::State::not_tls:
      return {ClientHello::Outcome::not_tls, {}};
    case Gathered::State::whole:
      break;
  }
  return read_message(gathered.message);
}

}  // namespace tapedeck
