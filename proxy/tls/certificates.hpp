#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace tapedeck {

using WallTime = std::chrono::system_clock::time_point;

// Making certificates and turning them into text and back. Nothing here touches a file.

struct CertifiedKey {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

std::shared_ptr<EVP_PKEY> make_p256_key();

// A certificate that may sign leaves and nothing else, for `common_name`. `only` names, each a DNS name (with what lies
// below it) or an IP literal, become critical name constraints that permit them, localhost and loopback addresses
// alone.
CertifiedKey make_authority(std::string_view common_name, const std::vector<std::string>& only, WallTime not_before,
                            WallTime not_after);

// A server certificate for `name`, a DNS name or IP literal.
std::shared_ptr<X509> make_leaf(const CertifiedKey& authority, EVP_PKEY* leaf_key, std::string_view name,
                                WallTime not_before, WallTime not_after);

// What make_authority writes for `only`, as DER; empty for none. Two authorities are constrained alike if these are
// equal.
std::string name_constraints_der(const std::vector<std::string>& only);
std::string name_constraints_der(const X509& certificate);

WallTime not_before_of(const X509& certificate);
WallTime not_after_of(const X509& certificate);

std::string certificate_to_pem(const X509& certificate);
std::string certificate_der(const X509& certificate);
std::string key_to_pem(const EVP_PKEY& key);  // PKCS #8, not encrypted
// One key and one certificate that belong together, in any order; empty when that is not what `pem` is.
std::optional<CertifiedKey> certified_key_from_pem(std::string_view pem);
// The DER of every certificate in a bundle; what is no certificate is passed over.
std::vector<std::string> certificates_der_from_pem(std::string_view pem);
std::string der_to_pem(std::string_view der);

}  // namespace tapedeck
