// Two engines talk to each other in memory; what goes between them is cut, lost or spoilt at will.
#include "proxy/tls/tls_engine.hpp"

#include <string>

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "proxy/tls/contexts.hpp"
#include "proxy/tls/leaf_certificates.hpp"
#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using namespace tapedeck::test;
using Outcome = TlsEngine::Outcome;
using Kind = NetworkFailure::Kind;

namespace {

struct World {
  TemporaryFolder folder;
  std::shared_ptr<const CertificateAuthority> authority = authority_in(folder.path() / "ca");
  LeafCertificates leaves{authority, 8};
  std::shared_ptr<SSL_CTX> trusting = client_trusting(*authority);

  std::unique_ptr<TlsEngine> server() {
    return TlsEngine::for_client(
        [this](std::string_view name) { return leaves.context_for(name.empty() ? "127.0.0.1" : name); });
  }
  std::unique_ptr<TlsEngine> client(std::string_view host = "api.x.io") {
    return std::move(TlsEngine::for_upstream(trusting.get(), host).value());
  }
};

World& world() {
  static World shared;
  return shared;
}

void limit_to(SSL_CTX* context, int version) {
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

}  // namespace

TEST_CASE("bytes pass both ways, in both versions and however the ciphertext is cut") {
  struct Row {
    const char* name;
    int version;
    std::size_t piece;
  };
  const Row rows[] = {
      {"TLS 1.3 whole", TLS1_3_VERSION, std::string::npos},
      {"TLS 1.3 byte by byte", TLS1_3_VERSION, 1},
      {"TLS 1.3 by seven", TLS1_3_VERSION, 7},
      {"TLS 1.2 whole", TLS1_2_VERSION, std::string::npos},
      {"TLS 1.2 byte by byte", TLS1_2_VERSION, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World fresh;
    limit_to(fresh.trusting.get(), row.version);
    auto client = fresh.client();
    auto server = fresh.server();
    const Ends ends = shake_hands(*client, *server, row.piece);
    REQUIRE(ends.client == Outcome::done);
    REQUIRE(ends.server == Outcome::done);
    CHECK(server->server_name() == "api.x.io");
    CHECK(server->version() == (row.version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
    CHECK(client->alpn() == "");

    const std::string sent = pattern(100'000);
    REQUIRE(client->write(sent) == Outcome::done);
    REQUIRE(client->write("and more") == Outcome::done);
    std::string received;
    while (carry(*client, *server, row.piece) > 0) received += read_all(*server);
    CHECK(received == sent + "and more");

    REQUIRE(server->write("answer") == Outcome::done);
    received.clear();
    while (carry(*server, *client, row.piece) > 0) received += read_all(*client);
    CHECK(received == "answer");
  }
}

TEST_CASE("a handshake survives a cut at every point of what the client sends first") {
  World& w = world();
  auto measured = w.client();
  REQUIRE(measured->handshake() == Outcome::want_input);
  const std::size_t hello_bytes = measured->output().size();
  for (std::size_t cut = 1; cut < hello_bytes; ++cut) {
    CAPTURE(cut);
    auto client = w.client();
    auto server = w.server();
    REQUIRE(client->handshake() == Outcome::want_input);
    server->feed(client->output().substr(0, cut));
    client->output_sent(cut);
    REQUIRE(server->handshake() == Outcome::want_input);
    REQUIRE(server->output().empty());
    const Ends ends = shake_hands(*client, *server);
    REQUIRE(ends.client == Outcome::done);
    REQUIRE(ends.server == Outcome::done);
  }
}

TEST_CASE("the upstream context agrees on http/1.1 and trusts what its bundle holds") {
  World& w = world();
  const auto bundle = w.authority->certificate_file();
  const auto context = upstream_context(&bundle, false).value();
  auto client = std::move(TlsEngine::for_upstream(context.get(), "api.x.io").value());
  auto server = w.server();
  const Ends ends = shake_hands(*client, *server);
  REQUIRE(ends.client == Outcome::done);
  REQUIRE(ends.server == Outcome::done);
  CHECK(client->alpn() == "http/1.1");
  CHECK(server->alpn() == "http/1.1");
}

TEST_CASE("a client that offers h2 alone gets a connection without ALPN") {
  World w;
  const unsigned char h2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(w.trusting.get(), h2, sizeof h2);
  auto client = w.client();
  auto server = w.server();
  CHECK(shake_hands(*client, *server).client == Outcome::done);
  CHECK(server->alpn() == "");
}

TEST_CASE("an end in order is told from a cut") {
  World& w = world();
  auto client = w.client();
  auto server = w.server();
  REQUIRE(shake_hands(*client, *server).server == Outcome::done);
  char buffer[100];

  SUBCASE("close_notify") {
    REQUIRE(client->write("last") == Outcome::done);
    client->shutdown();
    carry(*client, *server);
    CHECK(server->read(buffer).bytes == 4);
    CHECK(server->read(buffer).outcome == Outcome::closed);
    CHECK(server->read(buffer).outcome == Outcome::closed);
    CHECK_FALSE(server->failure());
    REQUIRE(server->write("still heard") == Outcome::done);
    carry(*server, *client);
    CHECK(read_all(*client) == "still heard");
  }
  SUBCASE("cut between records") {
    server->input_ended();
    CHECK(server->read(buffer).outcome == Outcome::failed);
    CHECK(server->failure()->kind == Kind::closed);
  }
  SUBCASE("cut within a record") {
    REQUIRE(client->write("never whole") == Outcome::done);
    carry(*client, *server, 9);
    CHECK(server->read(buffer).outcome == Outcome::want_input);
    server->input_ended();
    CHECK(server->read(buffer).outcome == Outcome::failed);
    CHECK(server->failure()->kind == Kind::closed);
    CHECK(server->write("x") == Outcome::failed);
  }
  SUBCASE("spoilt record") {
    REQUIRE(client->write("first") == Outcome::done);
    const std::size_t good = client->output().size();
    REQUIRE(client->write("second") == Outcome::done);
    std::string bytes(client->output());
    bytes[good + 7] ^= 1;
    server->feed(bytes);
    CHECK(server->read(buffer).bytes == 5);
    CHECK(server->read(buffer).outcome == Outcome::failed);
    CHECK(server->failure()->kind == Kind::protocol);
    CHECK_FALSE(server->output().empty());
  }
}

TEST_CASE("a handshake cut at any byte of the server's answer fails as closed") {
  World& w = world();
  auto whole_client = w.client();
  auto whole_server = w.server();
  whole_client->handshake();
  carry(*whole_client, *whole_server);
  whole_server->handshake();
  const std::string flight(whole_server->output());
  REQUIRE(flight.size() > 500);
  // The flight's signature varies by a few bytes from one handshake to the next.
  for (std::size_t cut = 0; cut + 8 < flight.size(); cut += 13) {
    CAPTURE(cut);
    auto client = w.client();
    auto server = w.server();
    client->handshake();
    carry(*client, *server);
    server->handshake();
    carry(*server, *client, cut);
    client->input_ended();
    REQUIRE(client->handshake() == Outcome::failed);
    REQUIRE(client->failure()->kind == Kind::closed);
  }
}

TEST_CASE("what is not TLS is refused, whichever side it comes to") {
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x16\x03\x01\x00\x05hello", 10), std::string(64, '\0'),
        std::string("\x80\x2e\x01\x03\x01", 5)}) {
    CAPTURE(garbage);
    auto server = world().server();
    server->feed(garbage);
    CHECK(server->handshake() == Outcome::failed);
    CHECK(server->failure()->kind == Kind::protocol);
    CHECK(server->handshake() == Outcome::failed);
  }
  auto client = world().client();
  client->handshake();
  client->feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(client->handshake() == Outcome::failed);
  CHECK(client->failure()->kind == Kind::protocol);
  CHECK(client->failure()->text.find("api.x.io") != std::string::npos);
}

TEST_CASE("a certificate that is not to be trusted is refused by name, and the server learns it") {
  World w;
  World other;
  struct Row {
    const char* name;
    const char* host;
    bool other_authority;
    const char* says;
  };
  const Row rows[] = {
      {"another CA", "api.x.io", true, "--upstream-ca"},
      {"another name", "other.io", false, "hostname mismatch"},
      {"another address", "10.0.0.7", false, "IP address mismatch"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto context = row.other_authority ? client_trusting(*other.authority) : w.trusting;
    auto client = std::move(TlsEngine::for_upstream(context.get(), row.host).value());
    auto server = TlsEngine::for_client([&](std::string_view) { return w.leaves.context_for("api.x.io"); });
    const Ends ends = shake_hands(*client, *server);
    REQUIRE(ends.client == Outcome::failed);
    CHECK(client->failure()->kind == NetworkFailure::Kind::certificate);
    CHECK(client->failure()->text.find(row.says) != std::string::npos);
    CHECK(client->failure()->text.find(row.host) != std::string::npos);
    // In TLS 1.3 the server is done before the client's verdict comes, and meets it when it reads.
    char buffer[10];
    if (ends.server == Outcome::done) CHECK(server->read(buffer).outcome == Outcome::failed);
    REQUIRE(server->failure());
    CHECK(server->failure()->kind == Kind::tls_alert);
    CHECK(server->failure()->kind != NetworkFailure::Kind::certificate);
  }
}

TEST_CASE("without verification any certificate will do") {
  World& w = world();
  const auto context = upstream_context(nullptr, true).value();
  auto client = std::move(TlsEngine::for_upstream(context.get(), "api.x.io").value());
  auto server = TlsEngine::for_client([&](std::string_view) { return w.leaves.context_for("other.io"); });
  CHECK(shake_hands(*client, *server).client == Outcome::done);
}

TEST_CASE("a chooser that refuses ends the handshake with an alert the client can name") {
  World& w = world();
  struct Row {
    Blame blame;
    const char* alert;
  };
  for (const Row& row : {Row{Blame::client, "unrecognized name"}, Row{Blame::us, "internal error"}}) {
    CAPTURE(row.alert);
    auto client = w.client();
    auto server = TlsEngine::for_client([&](std::string_view) -> Result<std::shared_ptr<SSL_CTX>> {
      return Failure{"not-intercepted", row.blame, "name it with --host"};
    });
    const Ends ends = shake_hands(*client, *server);
    CHECK(ends.server == Outcome::failed);
    CHECK(server->failure()->code == "not-intercepted");
    CHECK(server->failure()->text == "name it with --host");
    CHECK(ends.client == Outcome::failed);
    CHECK(client->failure()->kind == Kind::tls_alert);
    CHECK(client->failure()->code == row.alert);
  }
}

TEST_CASE("a client without SNI is answered with the certificate that the chooser takes for it") {
  World& w = world();
  auto client = w.client("127.0.0.1");
  auto server = w.server();
  CHECK(shake_hands(*client, *server).client == Outcome::done);
  CHECK(server->server_name() == "");
}

TEST_CASE("a host that is none is refused before anything is sent") {
  for (const char* host : {"", "a b", "x..io", "-x.io"}) {
    CAPTURE(host);
    const auto engine = TlsEngine::for_upstream(world().trusting.get(), host);
    REQUIRE(engine.has_error());
    CHECK(engine.error().code == "bad-host-name");
  }
}

TEST_CASE("a busy engine keeps its buffers, an idle one gives them back") {
  World& w = world();
  auto client = w.client();
  auto server = w.server();
  REQUIRE(shake_hands(*client, *server).server == Outcome::done);
  for (int round = 0; round < 3; ++round) {
    REQUIRE(client->write(pattern(20'000)) == Outcome::done);
    carry(*client, *server);
    CHECK(read_all(*server) == pattern(20'000));
    client->release_idle_buffers();
    server->release_idle_buffers();
  }
}
