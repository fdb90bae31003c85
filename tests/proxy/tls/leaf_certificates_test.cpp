#include "proxy/tls/leaf_certificates.hpp"

#include <array>
#include <barrier>
#include <fstream>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/tls/openssl_handles.hpp"
#include "proxy/tls/tls_engine.hpp"
#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using namespace tapedeck::test;
using std::chrono::days;
using std::chrono::hours;

TEST_CASE("however many ask at once, a name is minted once") {
  const TemporaryFolder folder;
  LeafCertificates leaves(authority_in(folder.path() / "ca"), 64);
  constexpr int threads = 8;
  constexpr int names = 20;
  std::array<std::array<SSL_CTX*, names>, threads> seen{};
  std::barrier together(threads);
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      for (int n = 0; n < names; ++n) {
        together.arrive_and_wait();
        seen[t][n] = leaves.context_for("n" + std::to_string(n) + ".io").value().get();
      }
    });
  }
  for (auto& thread : pool) thread.join();
  CHECK(leaves.minted_count() == names);
  for (int t = 1; t < threads; ++t) CHECK(seen[t] == seen[0]);
  CHECK(std::set<SSL_CTX*>(seen[0].begin(), seen[0].end()).size() == names);
}

TEST_CASE("a full store drops the name that was asked for longest ago") {
  const TemporaryFolder folder;
  LeafCertificates leaves(authority_in(folder.path() / "ca"), 2);
  const auto a = leaves.context_for("a.io").value();
  REQUIRE(leaves.context_for("b.io").has_value());
  REQUIRE(leaves.context_for("a.io").has_value());
  REQUIRE(leaves.context_for("c.io").has_value());
  CHECK(leaves.minted_count() == 3);
  CHECK(leaves.context_for("a.io").value() == a);
  CHECK(leaves.minted_count() == 3);
  REQUIRE(leaves.context_for("b.io").has_value());
  CHECK(leaves.minted_count() == 4);
}

TEST_CASE("a leaf near its end is minted again, but not when its authority ends as soon") {
  const TemporaryFolder folder;
  const auto start = new_year_2026();
  auto now = start;
  const auto authority = CertificateAuthority::load_or_create(folder.path() / "ca", start).value();
  LeafCertificates leaves(authority, 8, [&] { return now; });
  const auto first = leaves.context_for("x.io").value();
  now = start + days(6) - hours(1);
  CHECK(leaves.context_for("x.io").value() == first);
  now = start + days(6);
  CHECK(leaves.context_for("x.io").value() != first);
  CHECK(leaves.minted_count() == 2);

  now = authority->expires_at() - hours(12);
  const auto last = leaves.context_for("x.io").value();
  now += hours(6);
  CHECK(leaves.context_for("x.io").value() == last);
  CHECK(leaves.minted_count() == 3);
  now = authority->expires_at();
  CHECK(leaves.context_for("x.io").error().code == "ca-expired");
}

TEST_CASE("a failure is not kept") {
  const TemporaryFolder folder;
  const auto start = new_year_2026();
  auto now = start + days(1000);
  LeafCertificates leaves(CertificateAuthority::load_or_create(folder.path() / "ca", start).value(), 8,
                          [&] { return now; });
  CHECK(leaves.context_for("x.io").error().code == "ca-expired");
  CHECK(leaves.context_for("not a name").error().code == "ca-bad-name");
  now = start;
  CHECK(leaves.context_for("x.io").has_value());
  CHECK(leaves.minted_count() == 1);
}

namespace {

using SessionHandle = std::unique_ptr<SSL_SESSION, OpenSslDelete<SSL_SESSION_free>>;

struct Visit {
  bool reused = false;
  SessionHandle session;
};

void pass(BIO* from, TlsEngine& to) {
  std::array<char, 4096> piece;
  for (int got; (got = BIO_read(from, piece.data(), piece.size())) > 0;) {
    to.feed({piece.data(), static_cast<std::size_t>(got)});
  }
}

void pass(TlsEngine& from, BIO* to) {
  BIO_write(to, from.output().data(), static_cast<int>(from.output().size()));
  from.output_sent(from.output().size());
}

// One connection of a client of OpenSSL's own make, which comes back with `session` when there is one.
Visit visit(SSL_CTX* client_context, LeafCertificates& leaves, const char* name, SSL_SESSION* session) {
  const SslHandle client(SSL_new(client_context));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(client.get(), in, out);
  SSL_set_tlsext_host_name(client.get(), name);
  if (session) SSL_set_session(client.get(), session);
  SSL_set_connect_state(client.get());
  const auto server = TlsEngine::for_client([&](std::string_view sni) { return leaves.context_for(sni); });
  for (int turn = 0; turn < 3; ++turn) {
    SSL_do_handshake(client.get());
    pass(out, *server);
    server->handshake();
    pass(*server, in);
  }
  REQUIRE(server->handshake_done());
  char none[8];
  CHECK(SSL_read(client.get(), none, sizeof none) == -1);  // takes in the ticket of TLS 1.3
  Visit visited{SSL_session_reused(client.get()) == 1, SessionHandle(SSL_get1_session(client.get()))};
  CHECK(server->session_reused() == visited.reused);
  // OpenSSL forgets the session of a connection that ended otherwise.
  SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  return visited;
}

}  // namespace

TEST_CASE("a client resumes by its ticket, even when the context of its name was dropped between") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const TemporaryFolder folder;
    const auto authority = authority_in(folder.path() / "ca");
    LeafCertificates leaves(authority, 1);
    const auto trusting = client_trusting(*authority);
    SSL_CTX_set_max_proto_version(trusting.get(), version);
    const Visit first = visit(trusting.get(), leaves, "a.io", nullptr);
    CHECK_FALSE(first.reused);
    REQUIRE(first.session);
    const Visit second = visit(trusting.get(), leaves, "a.io", first.session.get());
    CHECK(second.reused);
    REQUIRE(leaves.context_for("b.io").has_value());
    SSL_SESSION* latest = second.session ? second.session.get() : first.session.get();
    CHECK(visit(trusting.get(), leaves, "a.io", latest).reused);
    CHECK(leaves.minted_count() == 3);
    CHECK_FALSE(visit(trusting.get(), leaves, "b.io", latest).reused);
  }
}

TEST_CASE("a bundle for upstreams that cannot be used is refused by name") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "bundle.pem";
  SUBCASE("missing") {
  }
  SUBCASE("empty") {
    std::ofstream(file) << "";
  }
  SUBCASE("no certificate") {
    std::ofstream(file) << "-----BEGIN JUNK-----\nAAAA\n-----END JUNK-----\n";
  }
  SUBCASE("broken certificate") {
    std::ofstream(file) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  }
  SUBCASE("a folder") {
    std::filesystem::create_directory(file);
  }
  const auto context = upstream_context(&file, false);
  REQUIRE(context.has_error());
  CHECK(context.error().code == "upstream-ca-unusable");
  CHECK(context.error().detail.find(file.string()) != std::string::npos);
  CHECK(context.error().detail.find('\n') == std::string::npos);
}
