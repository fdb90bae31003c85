#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "config/result.hpp"

namespace tapedeck {

// The user's own certificate authority, in a folder of mode 0700: `ca-key.pem` of mode 0600 and `ca.pem` for clients to
// trust. Made on first use; two processes that start at once end with the same one. Immutable once loaded, so that
// every thread may mint.
class CertificateAuthority {
 public:
  using TimePoint = std::chrono::system_clock::time_point;

  // `only` names (DNS names, "*.x.io" for what lies below x.io, IP literals) make critical name constraints (decision
  // 17); empty: none. Times are passed in for tests. Failures name the file and the mend: ca-symlink, ca-foreign-owner,
  // ca-readable-by-others, ca-unusable, ca-broken, ca-expired, ca-other-names (there is one, constrained otherwise than
  // `only` asks), ca-bad-name.
  static Result<std::shared_ptr<const CertificateAuthority>> load_or_create(const std::filesystem::path& dir,
                                                                            TimePoint now,
                                                                            const std::vector<std::string>& only = {});
  // A new one. Without `force` an existing one is refused (ca-exists); with it the old one is gone for good, and every
  // client has to trust the new.
  static Result<std::shared_ptr<const CertificateAuthority>> create_new(const std::filesystem::path& dir, TimePoint now,
                                                                        const std::vector<std::string>& only,
                                                                        bool force);
  ~CertificateAuthority();

  std::filesystem::path certificate_file() const;
  const std::string& certificate_pem() const;
  std::string fingerprint_sha256() const;
  // Base64 of the SHA-256 of its SubjectPublicKeyInfo: how browsers and pins name a key.
  std::string public_key_sha256() const;
  std::string subject() const;
  TimePoint expires_at() const;
  // One line for people from a month before the end, with the command that makes a new one; else empty.
  std::string expiry_warning(TimePoint now) const;

  struct Leaf {
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;
    TimePoint expires_at;
    std::shared_ptr<X509> issuer;
  };
  // A leaf for a lower-case DNS name or an IP literal, P-256, from an hour before `now` for seven days or to the
  // authority's own end. Failures: ca-bad-name, ca-name-not-permitted, ca-expired.
  //
  // All leaves of one run have one key: it never leaves this process, which also holds the authority's, so a key a name
  // would protect nothing and cost a key generation for each new name.
  Result<Leaf> mint(std::string_view name, TimePoint now) const;

 private:
  struct State;
  explicit CertificateAuthority(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
