#include "proxy/tls/contexts.hpp"

#include <algorithm>
#include <array>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "proxy/runtime/small_file.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/openssl_handles.hpp"
#include "proxy/tls/tls_names.hpp"

namespace tapedeck {
namespace {

constexpr std::size_t upstream_ca_bytes_max = 16 * 1024 * 1024;

// The wire form of a protocol list (RFC 7301 §3.1), ours and what a client may offer.
constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes, const unsigned char* offered,
                    unsigned offered_bytes, void*) {
  unsigned char* match = nullptr;
  if (SSL_select_next_proto(&match, chosen_bytes, protocols.data(), protocols.size(), offered, offered_bytes) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> new_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  require_openssl(context != nullptr, "SSL_CTX_new");
  require_openssl(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "SSL_CTX_set_min_proto_version");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

// A ticket is good for the name it was given for, and for no other.
void bind_sessions_to_name(SSL_CTX* context, std::string_view name) {
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> id{};
  unsigned size = 0;
  require_openssl(EVP_Digest(name.data(), name.size(), id.data(), &size, EVP_sha256(), nullptr) == 1, "EVP_Digest");
  require_openssl(SSL_CTX_set_session_id_context(context, id.data(), size) == 1, "SSL_CTX_set_session_id_context");
}

Failure unusable(const std::filesystem::path& file, const std::string& why) {
  return {"upstream-ca-unusable", Blame::us, "--upstream-ca " + file.string() + ": " + why};
}

Result<void> trust_bundle_of(const std::filesystem::path& file, X509_STORE* store) {
  const auto text = read_small_file(file, upstream_ca_bytes_max);
  if (!text) return unusable(file, text.error().detail);
  const auto certificates = certificates_der_from_pem(*text);
  if (certificates.empty()) return unusable(file, "no PEM certificate is in it");
  for (const std::string& der : certificates) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<X509, OpenSslDelete<X509_free>> certificate(
        d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    const bool added = certificate && X509_STORE_add_cert(store, certificate.get()) == 1;
    ERR_clear_error();
    if (!added) return unusable(file, "a certificate in it cannot be read");
  }
  return {};
}

}  // namespace

std::string make_ticket_keys() {
  const std::unique_ptr<SSL_CTX, OpenSslDelete<SSL_CTX_free>> any(SSL_CTX_new(TLS_server_method()));
  require_openssl(any != nullptr, "SSL_CTX_new");
  std::string keys(static_cast<std::size_t>(SSL_CTX_get_tlsext_ticket_keys(any.get(), nullptr, 0)), '\0');
  require_openssl(RAND_bytes(reinterpret_cast<unsigned char*>(keys.data()), static_cast<int>(keys.size())) == 1,
                  "RAND_bytes");
  return keys;
}

std::shared_ptr<SSL_CTX> server_context(const CertificateAuthority::Leaf& leaf, std::string_view name,
                                        std::string_view ticket_keys) {
  auto context = new_context(TLS_server_method());
  SSL_CTX* raw = context.get();
  require_openssl(SSL_CTX_use_certificate(raw, leaf.certificate.get()) == 1, "SSL_CTX_use_certificate");
  require_openssl(SSL_CTX_use_PrivateKey(raw, leaf.key.get()) == 1, "SSL_CTX_use_PrivateKey");
  // A root need not be sent (RFC 8446 §4.4.2), but Chromium excepts an authority by its key only when it sees it.
  require_openssl(SSL_CTX_add1_chain_cert(raw, leaf.issuer.get()) == 1, "SSL_CTX_add1_chain_cert");
  require_openssl(SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") == 1,
                  "SSL_CTX_set_cipher_list");
  // The client sits on this machine: 128 bits are enough, and cost less a byte than the 256 that clients name first.
  require_openssl(
      SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1,
      "SSL_CTX_set_ciphersuites");
  // Our key is P-256 and every client has these groups. Longer lists cost each handshake.
  require_openssl(SSL_CTX_set1_sigalgs_list(raw, "ECDSA+SHA256") == 1, "SSL_CTX_set1_sigalgs_list");
  require_openssl(SSL_CTX_set1_groups_list(raw, "X25519:P-256:P-384") == 1, "SSL_CTX_set1_groups_list");
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  // Sessions live in the clients' tickets; one ticket halves what OpenSSL's two cost each handshake.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  require_openssl(SSL_CTX_set_num_tickets(raw, 1) == 1, "SSL_CTX_set_num_tickets");
  require_openssl(SSL_CTX_set_tlsext_ticket_keys(raw, const_cast<char*>(ticket_keys.data()),
                                                 static_cast<long>(ticket_keys.size())) == 1,
                  "SSL_CTX_set_tlsext_ticket_keys");
  bind_sessions_to_name(raw, name);
  return context;
}

Result<std::shared_ptr<SSL_CTX>> upstream_context(const std::filesystem::path* upstream_ca, bool insecure) {
  auto context = new_context(TLS_client_method());
  SSL_CTX* raw = context.get();
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  require_openssl(SSL_CTX_set_alpn_protos(raw, protocols.data(), protocols.size()) == 0, "SSL_CTX_set_alpn_protos");
  // Missing system roots are no failure yet: the bundle may be all that is wanted.
  SSL_CTX_set_default_verify_paths(raw);
  ERR_clear_error();
  if (upstream_ca) {
    if (auto trusted = trust_bundle_of(*upstream_ca, SSL_CTX_get_cert_store(raw)); !trusted) return trusted.error();
  }
  // As curl does: a bundle may hold the intermediate that signs the upstream, without its root.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(raw, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return context;
}

Result<void> prepare_upstream(SSL* ssl, std::string_view host) {
  const std::string name(host);
  if (is_ip_literal(name)) {
    require_openssl(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1,
                    "X509_VERIFY_PARAM_set1_ip_asc");
    return {};
  }
  if (!is_dns_name(name)) {
    return Failure{"bad-host-name", Blame::client, "the host asked for is neither a host name nor an address"};
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  require_openssl(SSL_set_tlsext_host_name(ssl, name.c_str()) == 1, "SSL_set_tlsext_host_name");
  require_openssl(SSL_set1_host(ssl, name.c_str()) == 1, "SSL_set1_host");
  return {};
}

}  // namespace tapedeck
