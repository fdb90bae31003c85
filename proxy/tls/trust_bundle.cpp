#include "proxy/tls/trust_bundle.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <unordered_set>

#include <openssl/evp.h>

#include "proxy/runtime/small_file.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/openssl_handles.hpp"

namespace tapedeck {
namespace {

constexpr std::size_t source_bytes_max = 16 * 1024 * 1024;

// Debian and Alpine, Fedora, SUSE, and where OpenSSL looks by itself.
constexpr const char* system_bundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                          "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

constexpr const char* bundle_variables[] = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",       "PIP_CERT",
                                            "GIT_SSL_CAINFO",     "CARGO_HTTP_CAINFO",    "AWS_CA_BUNDLE",
                                            "DENO_CERT",          "PERL_LWP_SSL_CA_FILE", "NODE_EXTRA_CA_CERTS"};

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::filesystem::path file_named_by(const Environment& parent, const char* variable) {
  const auto found = parent.find(variable);
  if (found == parent.end() || !is_file(found->second)) return {};
  std::error_code ignored;
  return std::filesystem::absolute(found->second, ignored);
}

std::string short_digest(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  require_openssl(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
                  "EVP_Digest");
  std::string hex;
  for (int i = 0; i < 4; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

std::string bundle_name(const TrustSources& sources) {
  if (sources.roots_are_the_systems && sources.others.empty()) return "bundle.pem";
  std::string paths = sources.roots.string();
  for (const auto& other : sources.others) paths += "\n" + other.string();
  return "bundle-" + short_digest(paths) + ".pem";
}

}  // namespace

TrustSources trust_sources(const Environment& parent) {
  TrustSources sources;
  sources.roots = file_named_by(parent, "SSL_CERT_FILE");
  if (sources.roots.empty()) {
    const auto* const found = std::find_if(std::begin(system_bundles), std::end(system_bundles), is_file);
    if (found != std::end(system_bundles)) sources.roots = *found;
    sources.roots_are_the_systems = true;
  }
  for (const char* variable : bundle_variables) {
    auto file = file_named_by(parent, variable);
    const bool known = file.empty() || file == sources.roots ||
                       std::find(sources.others.begin(), sources.others.end(), file) != sources.others.end();
    if (!known) sources.others.push_back(std::move(file));
  }
  return sources;
}

Result<std::filesystem::path> write_trust_bundle(const std::filesystem::path& ca_dir, std::string_view ca_pem,
                                                 const Environment& parent) {
  const TrustSources sources = trust_sources(parent);
  std::vector<std::filesystem::path> files = sources.others;
  files.insert(files.begin(), sources.roots);
  std::string bundle;
  std::unordered_set<std::string> written;
  const auto add = [&](std::string_view pem) {
    // Only certificates are copied: a file that somebody trusts may hold a key beside them.
    for (std::string& der : certificates_der_from_pem(pem)) {
      if (written.contains(der)) continue;
      bundle += der_to_pem(der);
      written.insert(std::move(der));
    }
  };
  for (const auto& file : files) {
    if (const auto text = read_small_file(file, source_bytes_max)) add(*text);
  }
  add(ca_pem);
  const std::filesystem::path file = ca_dir / bundle_name(sources);
  if (auto done = write_file_if_changed(file, bundle, 0644); !done) return done.error();
  return file;
}

}  // namespace tapedeck
