#include "tests/proxy/tls/tls_support.hpp"

#include <array>
#include <stdexcept>
#include <stdlib.h>

#include <openssl/pem.h>

#include "proxy/tls/openssl_handles.hpp"

namespace tapedeck::test {

using Outcome = TlsEngine::Outcome;

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tapedeck-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::chrono::system_clock::time_point new_year_2026() {
  return std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
}

std::shared_ptr<const CertificateAuthority> authority_in(const std::filesystem::path& dir) {
  return CertificateAuthority::load_or_create(dir, std::chrono::system_clock::now()).value();
}

std::shared_ptr<SSL_CTX> client_trusting(const CertificateAuthority& authority) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const BioHandle bio(BIO_new_mem_buf(authority.certificate_pem().data(), -1));
  const std::unique_ptr<X509, OpenSslDelete<X509_free>> root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_X509_STRICT);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

std::size_t carry(TlsEngine& from, TlsEngine& to, std::size_t piece) {
  const std::string_view bytes = from.output().substr(0, piece);
  to.feed(bytes);
  const std::size_t carried = bytes.size();
  from.output_sent(carried);
  return carried;
}

Ends shake_hands(TlsEngine& client, TlsEngine& server, std::size_t piece) {
  Ends ends{client.handshake(), server.handshake()};
  for (;;) {
    const std::size_t there = carry(client, server, piece);
    if (there > 0) ends.server = server.handshake();
    const std::size_t back = carry(server, client, piece);
    if (back > 0) ends.client = client.handshake();
    if (there + back == 0) return ends;
  }
}

std::string read_all(TlsEngine& engine) {
  std::string all;
  std::array<char, 1000> piece;
  for (;;) {
    const auto result = engine.read(piece);
    if (result.outcome != Outcome::done) return all;
    all.append(piece.data(), result.bytes);
  }
}

}  // namespace tapedeck::test
