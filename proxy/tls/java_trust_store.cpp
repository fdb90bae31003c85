#include "proxy/tls/java_trust_store.hpp"

#include <array>
#include <cassert>
#include <cstdint>

#include <openssl/evp.h>

#include "proxy/runtime/small_file.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/openssl_handles.hpp"

namespace tapedeck {
namespace {

constexpr std::size_t bundle_bytes_max = 32 * 1024 * 1024;

constexpr std::uint32_t jks_magic = 0xfeedfeed;
constexpr std::uint32_t jks_version = 2;
constexpr std::uint32_t trusted_certificate_entry = 2;
// Java's name for this part of the digest's input; any other makes the store look forged.
constexpr std::string_view digest_whitener = "Mighty Aphrodite";

void put_number(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

// Java's writeUTF, which for ASCII is a length and the bytes.
void put_text(std::string& out, std::string_view text) {
  assert(text.size() < 0x10000);
  put_number(out, text.size(), 2);
  out += text;
}

std::string sha1(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  require_openssl(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1, "EVP_Digest");
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string java_trust_store(const std::vector<std::string>& certificates) {
  std::string store;
  put_number(store, jks_magic, 4);
  put_number(store, jks_version, 4);
  put_number(store, certificates.size(), 4);
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    put_number(store, trusted_certificate_entry, 4);
    put_text(store, "trusted-" + std::to_string(i));
    put_number(store, 0, 8);  // when it was added: left at the epoch, so that equal stores are equal files
    put_text(store, "X.509");
    put_number(store, certificates[i].size(), 4);
    store += certificates[i];
  }
  std::string digested;
  for (const char c : java_trust_store_password) digested += {'\0', c};  // UTF-16, big-endian
  digested += digest_whitener;
  return store + sha1(digested + store);
}

Result<std::filesystem::path> write_java_trust_store(const std::filesystem::path& ca_dir,
                                                     const std::filesystem::path& bundle_file) {
  std::string name = bundle_file.stem().string();
  if (name.starts_with("bundle")) name.replace(0, std::string_view("bundle").size(), "truststore");
  const std::filesystem::path file = ca_dir / (name + ".jks");
  if (file.string().find_first_of(" \t\n\r\v\f'\"") != std::string::npos) {
    return Failure{"java-trust-store-path", Blame::us,
                   "Java cannot be given a trust store whose path has spaces or quotes in it (" + ca_dir.string() +
                       "); name another folder with --ca-dir"};
  }
  const auto bundle = read_small_file(bundle_file, bundle_bytes_max);
  if (!bundle) return bundle.error();
  if (auto done = write_file_if_changed(file, java_trust_store(certificates_der_from_pem(*bundle)), 0644); !done) {
    return done.error();
  }
  return file;
}

}  // namespace tapedeck
