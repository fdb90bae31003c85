#include "proxy/tls/certificates.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "proxy/tls/openssl_handles.hpp"
#include "proxy/tls/tls_names.hpp"

namespace tapedeck {
namespace {

// RFC 5280 appendix A, ub-common-name.
constexpr std::size_t common_name_bytes_max = 64;

std::shared_ptr<X509> new_certificate() {
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  require_openssl(certificate != nullptr, "X509_new");
  return certificate;
}

void set_random_serial(X509& certificate) {
  std::array<unsigned char, 16> bytes;
  require_openssl(RAND_bytes(bytes.data(), bytes.size()) == 1, "RAND_bytes");
  const BignumHandle number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  require_openssl(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)),
                  "BN_to_ASN1_INTEGER");
}

void set_times(X509& certificate, WallTime not_before, WallTime not_after) {
  const auto seconds = [](WallTime time) { return std::chrono::system_clock::to_time_t(time); };
  require_openssl(ASN1_TIME_set(X509_getm_notBefore(&certificate), seconds(not_before)) != nullptr, "ASN1_TIME_set");
  require_openssl(ASN1_TIME_set(X509_getm_notAfter(&certificate), seconds(not_after)) != nullptr, "ASN1_TIME_set");
}

void add_name_entry(X509_NAME* name, int nid, std::string_view value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  require_openssl(
      X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, bytes, static_cast<int>(value.size()), -1, 0) == 1,
      "X509_NAME_add_entry_by_NID");
}

void add_extension(X509& certificate, X509& issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  require_openssl(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, "X509_add_ext");
}

std::string permitted_dns(std::string_view name) {
  return ",permitted;DNS:" + std::string(name);
}

std::string permitted_address(std::string_view address) {
  const bool v6 = address.find(':') != std::string_view::npos;
  return ",permitted;IP:" + std::string(address) +
         (v6 ? "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "/255.255.255.255");
}

// Where any subtree of addresses is permitted, all others are excluded (RFC 5280 §4.2.1.10). Verifiers that tell the
// two families apart are met by permitting loopback of both.
std::string name_constraints_text(std::vector<std::string> only) {
  std::sort(only.begin(), only.end());
  only.erase(std::unique(only.begin(), only.end()), only.end());
  std::string text = "critical";
  for (const std::string& name : only) text += is_ip_literal(name) ? permitted_address(name) : permitted_dns(name);
  return text + permitted_dns("localhost") + ",permitted;IP:127.0.0.0/255.0.0.0" + permitted_address("::1");
}

std::string data_of(const X509_EXTENSION* extension) {
  const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(const_cast<X509_EXTENSION*>(extension));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
          static_cast<std::size_t>(ASN1_STRING_length(data))};
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  require_openssl(ASN1_TIME_to_tm(time, &parts) == 1, "ASN1_TIME_to_tm");
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioHandle memory_bio() {
  BioHandle bio(BIO_new(BIO_s_mem()));
  require_openssl(bio != nullptr, "BIO_new");
  return bio;
}

BioHandle reading_bio(std::string_view text) {
  BioHandle bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  require_openssl(bio != nullptr, "BIO_new_mem_buf");
  return bio;
}

// A certificate that was read keeps its encoding. One as it was made is encoded anew each time it is sent, two percent
// of a handshake's instructions (docs/performance.md).
std::shared_ptr<X509> as_read(const X509& made) {
  const auto der = certificate_der(made);
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  std::shared_ptr<X509> read(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())), X509_free);
  require_openssl(read != nullptr, "d2i_X509");
  return read;
}

// Encrypted keys are refused without a prompt on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

std::shared_ptr<EVP_PKEY> make_p256_key() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require_openssl(key != nullptr, "EVP_EC_gen");
  return key;
}

CertifiedKey make_authority(std::string_view common_name, const std::vector<std::string>& only, WallTime not_before,
                            WallTime not_after) {
  CertifiedKey made{new_certificate(), make_p256_key()};
  X509& certificate = *made.certificate;
  require_openssl(X509_set_version(&certificate, X509_VERSION_3) == 1, "X509_set_version");
  set_random_serial(certificate);
  set_times(certificate, not_before, not_after);
  X509_NAME* name = X509_get_subject_name(&certificate);
  add_name_entry(name, NID_organizationName, "Tapedeck");
  add_name_entry(name, NID_commonName, common_name.substr(0, common_name_bytes_max));
  require_openssl(X509_set_issuer_name(&certificate, name) == 1, "X509_set_issuer_name");
  require_openssl(X509_set_pubkey(&certificate, made.key.get()) == 1, "X509_set_pubkey");
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  add_extension(certificate, certificate, NID_authority_key_identifier, "keyid:always");
  if (!only.empty()) {
    add_extension(certificate, certificate, NID_name_constraints, name_constraints_text(only));
  }
  require_openssl(X509_sign(&certificate, made.key.get(), EVP_sha256()) > 0, "X509_sign");
  return {as_read(certificate), made.key};
}

std::shared_ptr<X509> make_leaf(const CertifiedKey& authority, EVP_PKEY* leaf_key, std::string_view name,
                                WallTime not_before, WallTime not_after) {
  auto leaf = new_certificate();
  X509& issuer = *authority.certificate;
  require_openssl(X509_set_version(leaf.get(), X509_VERSION_3) == 1, "X509_set_version");
  set_random_serial(*leaf);
  set_times(*leaf, not_before, not_after);
  const bool address = is_ip_literal(name);
  X509_NAME* subject = X509_get_subject_name(leaf.get());
  add_name_entry(subject, NID_organizationName, "Tapedeck");
  // An address never becomes the common name: OpenSSL would hold it against the DNS part of name constraints.
  if (!address && name.size() <= common_name_bytes_max) add_name_entry(subject, NID_commonName, name);
  require_openssl(X509_set_issuer_name(leaf.get(), X509_get_subject_name(&issuer)) == 1, "X509_set_issuer_name");
  require_openssl(X509_set_pubkey(leaf.get(), leaf_key) == 1, "X509_set_pubkey");
  add_extension(*leaf, issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(*leaf, issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(*leaf, issuer, NID_ext_key_usage, "serverAuth");
  add_extension(*leaf, issuer, NID_subject_key_identifier, "hash");
  add_extension(*leaf, issuer, NID_authority_key_identifier, "keyid:always");
  add_extension(*leaf, issuer, NID_subject_alt_name, (address ? "IP:" : "DNS:") + std::string(name));
  require_openssl(X509_sign(leaf.get(), authority.key.get(), EVP_sha256()) > 0, "X509_sign");
  return as_read(*leaf);
}

std::string name_constraints_der(const std::vector<std::string>& only) {
  if (only.empty()) return {};
  const std::string text = name_constraints_text(only);
  const ExtensionHandle extension(X509V3_EXT_nconf_nid(nullptr, nullptr, NID_name_constraints, text.c_str()));
  require_openssl(extension != nullptr, "X509V3_EXT_nconf_nid");
  return data_of(extension.get());
}

std::string name_constraints_der(const X509& certificate) {
  const int at = X509_get_ext_by_NID(&certificate, NID_name_constraints, -1);
  return at < 0 ? std::string() : data_of(X509_get_ext(&certificate, at));
}

WallTime not_before_of(const X509& certificate) {
  return time_of(X509_get0_notBefore(&certificate));
}
WallTime not_after_of(const X509& certificate) {
  return time_of(X509_get0_notAfter(&certificate));
}

std::string certificate_to_pem(const X509& certificate) {
  const BioHandle bio = memory_bio();
  require_openssl(PEM_write_bio_X509(bio.get(), const_cast<X509*>(&certificate)) == 1, "PEM_write_bio_X509");
  return text_of(bio.get());
}

std::string certificate_der(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(const_cast<X509*>(&certificate), &der);
  require_openssl(size > 0, "i2d_X509");
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::string key_to_pem(const EVP_PKEY& key) {
  const BioHandle bio = memory_bio();
  auto* unconst = const_cast<EVP_PKEY*>(&key);
  require_openssl(PEM_write_bio_PrivateKey(bio.get(), unconst, nullptr, nullptr, 0, nullptr, nullptr) == 1,
                  "PEM_write_bio_PrivateKey");
  return text_of(bio.get());
}

std::optional<CertifiedKey> certified_key_from_pem(std::string_view pem) {
  CertifiedKey read;
  read.key.reset(PEM_read_bio_PrivateKey(reading_bio(pem).get(), nullptr, no_password, nullptr), EVP_PKEY_free);
  read.certificate.reset(PEM_read_bio_X509(reading_bio(pem).get(), nullptr, no_password, nullptr), X509_free);
  const bool pair = read.key && read.certificate &&
                    X509_check_private_key(read.certificate.get(), read.key.get()) == 1 &&
                    ASN1_TIME_check(X509_get0_notBefore(read.certificate.get())) == 1 &&
                    ASN1_TIME_check(X509_get0_notAfter(read.certificate.get())) == 1;
  ERR_clear_error();
  if (!pair) return std::nullopt;
  return read;
}

std::vector<std::string> certificates_der_from_pem(std::string_view pem) {
  std::vector<std::string> all;
  const BioHandle bio = reading_bio(pem);
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
      const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      ERR_clear_error();
      if (at_end || BIO_eof(bio.get())) return all;
      continue;  // One broken block; the text after it has been moved to.
    }
    if (std::string_view(name) == PEM_STRING_X509) all.emplace_back(reinterpret_cast<char*>(data), size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
}

std::string der_to_pem(std::string_view der) {
  const BioHandle bio = memory_bio();
  require_openssl(PEM_write_bio(bio.get(), PEM_STRING_X509, "", reinterpret_cast<const unsigned char*>(der.data()),
                                static_cast<long>(der.size())) > 0,
                  "PEM_write_bio");
  return text_of(bio.get());
}

}  // namespace tapedeck
