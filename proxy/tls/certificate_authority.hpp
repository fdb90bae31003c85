#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "config/result.hpp"

namespace tapedeck {

// The user's own certificate authority: ca.pem and ca-key.pem in a folder of mode 0700, the key of mode 0600. Made on
// first use; two processes that start at once end with the same one. Immutable once loaded.
class CertificateAuthority {
 public:
  // `only` names make critical name constraints (decision 17); empty: none. Times are passed in for tests.
  // Failures name the file and the mend: ca-symlink, ca-foreign-owner, ca-readable-by-others, ca-broken, ca-expired.
  static Result<std::shared_ptr<const CertificateAuthority>> load_or_create(const std::filesystem::path& dir,
      std::chrono::system_clock::time_point now, const std::vector<std::string>& only = {});
  ~CertificateAuthority();

  std::filesystem::path certificate_file() const;
  const std::string& certificate_pem() const;
  std::string fingerprint_sha256() const;
  std::string subject() const;
  std::chrono::system_clock::time_point expires_at() const;

  struct Leaf {
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;
  };
  // A leaf for a DNS name or an IP literal, P-256, valid for days (from an hour before `now`).
  Result<Leaf> mint(std::string_view name, std::chrono::system_clock::time_point now) const;

 private:
  struct State;
  explicit CertificateAuthority(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
