#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "proxy/tls/certificate_authority.hpp"
#include "proxy/tls/tls_engine.hpp"

namespace tapedeck::test {

// A folder of its own, gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// 2026-01-01T00:00:00Z, for what does not meet a verifier that looks at the clock itself.
std::chrono::system_clock::time_point new_year_2026();

std::shared_ptr<const CertificateAuthority> authority_in(const std::filesystem::path& dir);

// The client's side of what we serve: trusts `authority` alone.
std::shared_ptr<SSL_CTX> client_trusting(const CertificateAuthority& authority);

// Hands the first `piece` bytes of output to the other side and says how many there were.
std::size_t carry(TlsEngine& from, TlsEngine& to, std::size_t piece = std::string_view::npos);
// Handshakes of both sides to their end, done or failed.
struct Ends {
  TlsEngine::Outcome client;
  TlsEngine::Outcome server;
};
Ends shake_hands(TlsEngine& client, TlsEngine& server, std::size_t piece = std::string_view::npos);

std::string read_all(TlsEngine& engine);

}  // namespace tapedeck::test
