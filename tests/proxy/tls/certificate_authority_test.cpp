#include "proxy/tls/certificate_authority.hpp"

#include <fstream>
#include <set>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "proxy/tls/authority_folder.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/openssl_handles.hpp"
#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using namespace tapedeck::test;
namespace fs = std::filesystem;
using std::chrono::days;
using std::chrono::hours;

namespace {

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void put(const fs::path& file, const std::string& content, mode_t mode) {
  std::ofstream(file, std::ios::binary) << content;
  REQUIRE(::chmod(file.c_str(), mode) == 0);
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::shared_ptr<X509> read_certificate(const std::string& pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

// X509_V_OK when a strict verifier at `now` takes `leaf` for `name`.
int verdict(const CertificateAuthority& authority, X509* leaf, const std::string& name, WallTime now) {
  const auto root = read_certificate(authority.certificate_pem());
  const std::unique_ptr<X509_STORE, OpenSslDelete<X509_STORE_free>> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root.get());
  const std::unique_ptr<X509_STORE_CTX, OpenSslDelete<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(param, std::chrono::system_clock::to_time_t(now));
  if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) != 1) X509_VERIFY_PARAM_set1_host(param, name.c_str(), 0);
  X509_verify_cert(context.get());
  ERR_clear_error();
  return X509_STORE_CTX_get_error(context.get());
}

std::string code_of(const fs::path& dir, WallTime now, const std::vector<std::string>& only = {}) {
  const auto loaded = CertificateAuthority::load_or_create(dir, now, only);
  if (loaded) return "loaded";
  CHECK(loaded.error().detail.find('\n') == std::string::npos);
  return loaded.error().code;
}

}  // namespace

TEST_CASE("an authority is made on first use, private, and the same ever after") {
  const TemporaryFolder folder;
  const fs::path dir = folder.path() / "share" / "tapedeck";
  const auto now = new_year_2026();
  const auto made = CertificateAuthority::load_or_create(dir, now).value();
  CHECK(mode_of(dir) == 0700);
  CHECK(mode_of(dir / "ca-key.pem") == 0600);
  CHECK(made->certificate_file() == dir / "ca.pem");
  CHECK(content_of(dir / "ca.pem") == made->certificate_pem());
  CHECK(content_of(dir / "ca.pem").find("PRIVATE KEY") == std::string::npos);
  CHECK(std::distance(fs::directory_iterator(dir), {}) == 2);

  const auto again = CertificateAuthority::load_or_create(dir, now + days(1)).value();
  CHECK(again->fingerprint_sha256() == made->fingerprint_sha256());
  CHECK(made->fingerprint_sha256().size() == 32 * 3 - 1);
  CHECK(made->subject().starts_with("Tapedeck CA "));
  CHECK(made->subject().find('@') != std::string::npos);
}

TEST_CASE("ca.pem is derived: missing, changed or led astray, it comes back") {
  const TemporaryFolder folder;
  const fs::path dir = folder.path() / "ca";
  const auto now = new_year_2026();
  const std::string pem = CertificateAuthority::load_or_create(dir, now).value()->certificate_pem();
  SUBCASE("missing") {
    fs::remove(dir / "ca.pem");
  }
  SUBCASE("changed") {
    put(dir / "ca.pem", "another", 0644);
  }
  SUBCASE("a symlink") {
    fs::remove(dir / "ca.pem");
    put(folder.path() / "elsewhere", "mine", 0644);
    fs::create_symlink(folder.path() / "elsewhere", dir / "ca.pem");
  }
  REQUIRE(code_of(dir, now) == "loaded");
  CHECK(content_of(dir / "ca.pem") == pem);
  CHECK_FALSE(fs::is_symlink(dir / "ca.pem"));
  if (fs::exists(folder.path() / "elsewhere")) CHECK(content_of(folder.path() / "elsewhere") == "mine");
}

TEST_CASE("the certificate says what an authority's has to") {
  const TemporaryFolder folder;
  const auto now = new_year_2026();
  const auto authority = CertificateAuthority::load_or_create(folder.path() / "ca", now).value();
  const auto certificate = read_certificate(authority->certificate_pem());
  CHECK(X509_check_ca(certificate.get()) == 1);
  CHECK(X509_get_pathlen(certificate.get()) == 0);
  CHECK(X509_get_key_usage(certificate.get()) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  CHECK(X509_get_ext_by_NID(certificate.get(), NID_name_constraints, -1) == -1);
  CHECK(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(certificate.get()),
                              X509_get0_authority_key_id(certificate.get())) == 0);
  CHECK(authority->expires_at() == now + days(730));
  CHECK(authority->expiry_warning(now + days(699)).empty());
  CHECK(authority->expiry_warning(now + days(701)).find("tapedeck ca create --force") != std::string::npos);
}

TEST_CASE("a leaf is taken by a strict verifier for its own name, in its own days") {
  const TemporaryFolder folder;
  const auto now = new_year_2026();
  const auto authority = CertificateAuthority::load_or_create(folder.path() / "ca", now).value();
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + ".io";
  for (const std::string& name :
       {std::string("api.roaring.io"), std::string("localhost"), std::string("with_underscore.x.io"), long_name,
        std::string("127.0.0.1"), std::string("10.1.2.3"), std::string("::1"), std::string("2001:db8::7")}) {
    CAPTURE(name);
    const auto leaf = authority->mint(name, now).value();
    CHECK(verdict(*authority, leaf.certificate.get(), name, now) == X509_V_OK);
    CHECK(verdict(*authority, leaf.certificate.get(), "other.io", now) == X509_V_ERR_HOSTNAME_MISMATCH);
    CHECK(verdict(*authority, leaf.certificate.get(), name, now - std::chrono::minutes(59)) == X509_V_OK);
    CHECK(verdict(*authority, leaf.certificate.get(), name, now + days(8)) == X509_V_ERR_CERT_HAS_EXPIRED);
    CHECK(leaf.expires_at == now + days(7));
    CHECK(X509_check_private_key(leaf.certificate.get(), leaf.key.get()) == 1);
    CHECK(X509_check_ca(leaf.certificate.get()) == 0);
  }
}

TEST_CASE("serial numbers differ") {
  const TemporaryFolder folder;
  const auto now = new_year_2026();
  const auto authority = CertificateAuthority::load_or_create(folder.path() / "ca", now).value();
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) {
    const auto leaf = authority->mint("x.io", now).value();
    const BignumHandle serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf.certificate.get()), nullptr));
    CHECK_FALSE(BN_is_negative(serial.get()));
    CHECK(BN_num_bits(serial.get()) > 64);
    char* hex = BN_bn2hex(serial.get());
    serials.insert(hex);
    OPENSSL_free(hex);
  }
  CHECK(serials.size() == 50);
}

TEST_CASE("no leaf outlives its authority, and none is made after its end") {
  const TemporaryFolder folder;
  const auto now = new_year_2026();
  const auto authority = CertificateAuthority::load_or_create(folder.path() / "ca", now).value();
  const auto late = authority->expires_at() - days(2);
  CHECK(authority->mint("x.io", late).value().expires_at == authority->expires_at());
  const auto after = authority->mint("x.io", authority->expires_at());
  REQUIRE(after.has_error());
  CHECK(after.error().code == "ca-expired");
}

TEST_CASE("names that are none get no certificate") {
  const TemporaryFolder folder;
  const auto authority = CertificateAuthority::load_or_create(folder.path() / "ca", new_year_2026()).value();
  for (const std::string& name :
       {std::string(), std::string("*.x.io"), std::string("x.io,DNS:y.io"), std::string("X.io"), std::string("x..io"),
        std::string("x.io\0.evil", 10), std::string("x.io."), std::string("fe80::1%eth0"), std::string("[::1]"),
        std::string("a b"), std::string(300, 'a'), std::string(64, 'a') + ".io", std::string("x\n.io")}) {
    CAPTURE(name);
    const auto leaf = authority->mint(name, new_year_2026());
    REQUIRE(leaf.has_error());
    CHECK(leaf.error().code == "ca-bad-name");
    CHECK(leaf.error().blame == Blame::client);
    CHECK(leaf.error().detail.find('\n') == std::string::npos);
  }
}

TEST_CASE("with --only the authority may sign for those names, localhost and loopback alone") {
  const TemporaryFolder folder;
  const auto now = new_year_2026();
  const fs::path dir = folder.path() / "ca";
  const std::vector<std::string> only{"api.roaring.io", "*.x.io", "10.1.2.3"};
  const auto authority = CertificateAuthority::load_or_create(dir, now, only).value();
  const auto root = read_certificate(authority->certificate_pem());
  const int at = X509_get_ext_by_NID(root.get(), NID_name_constraints, -1);
  REQUIRE(at >= 0);
  CHECK(X509_EXTENSION_get_critical(X509_get_ext(root.get(), at)) == 1);

  for (const std::string& name :
       std::vector<std::string>{"api.roaring.io", "a.x.io", "localhost", "127.0.0.1", "127.9.9.9", "::1", "10.1.2.3"}) {
    CAPTURE(name);
    const auto leaf = authority->mint(name, now);
    REQUIRE(leaf.has_value());
    CHECK(verdict(*authority, leaf->certificate.get(), name, now) == X509_V_OK);
  }
  // What a stolen key could sign: made past our own check, so that it is the verifier that refuses.
  const auto key_file = certified_key_from_pem(content_of(dir / "ca-key.pem"));
  REQUIRE(key_file);
  for (const std::string& name :
       std::vector<std::string>{"roaring.io", "bank.se", "10.1.2.4", "8.8.8.8", "2001:db8::7", "::2"}) {
    CAPTURE(name);
    const auto refused = authority->mint(name, now);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "ca-name-not-permitted");
    const auto forged = make_leaf(*key_file, key_file->key.get(), name, now - hours(1), now + hours(1));
    CHECK(verdict(*authority, forged.get(), name, now) == X509_V_ERR_PERMITTED_VIOLATION);
  }

  CHECK(code_of(dir, now, {"*.x.io", "10.1.2.3", "api.roaring.io", "*.x.io"}) == "loaded");
  CHECK(code_of(dir, now) == "loaded");
  CHECK(code_of(dir, now, {"api.roaring.io"}) == "ca-other-names");
  CHECK(code_of(folder.path() / "unlimited", now) == "loaded");
  CHECK(code_of(folder.path() / "unlimited", now, only) == "ca-other-names");
  CHECK(code_of(folder.path() / "bad", now, {"*"}) == "ca-bad-name");
  CHECK(code_of(folder.path() / "bad", now, {"x.io,permitted;DNS:se"}) == "ca-bad-name");
}

TEST_CASE("what others could read or have put there is refused, with the mend") {
  const TemporaryFolder folder;
  const fs::path dir = folder.path() / "ca";
  const fs::path key = dir / "ca-key.pem";
  const auto now = new_year_2026();
  REQUIRE(code_of(dir, now) == "loaded");
  const std::string good = content_of(key);
  std::string code;
  std::string mend;
  SUBCASE("the folder is a symlink") {
    fs::rename(dir, folder.path() / "real");
    fs::create_directory_symlink(folder.path() / "real", dir);
    code = "ca-symlink", mend = "--ca-dir";
    CHECK(code_of(dir / "", now) == "ca-symlink");
  }
  SUBCASE("the key is a symlink") {
    fs::rename(key, dir / "real.pem");
    fs::create_symlink("real.pem", key);
    code = "ca-symlink", mend = "ca-key.pem";
  }
  SUBCASE("the folder is open to its group") {
    ::chmod(dir.c_str(), 0750);
    code = "ca-readable-by-others", mend = "chmod 700 " + dir.string();
  }
  SUBCASE("the key is readable by all") {
    ::chmod(key.c_str(), 0644);
    code = "ca-readable-by-others", mend = "chmod 600 " + key.string();
  }
  SUBCASE("the key belongs to somebody else") {
    if (::geteuid() != 0) return;
    REQUIRE(::chown(key.c_str(), 12345, 0) == 0);
    code = "ca-foreign-owner", mend = "12345";
  }
  SUBCASE("the folder belongs to somebody else") {
    if (::geteuid() != 0) return;
    REQUIRE(::chown(dir.c_str(), 12345, 0) == 0);
    code = "ca-foreign-owner", mend = "--ca-dir";
  }
  SUBCASE("the folder is a file") {
    fs::remove_all(dir);
    put(dir, "x", 0600);
    code = "ca-unusable", mend = "--ca-dir";
  }
  SUBCASE("the key is a FIFO") {
    fs::remove(key);
    REQUIRE(::mkfifo(key.c_str(), 0600) == 0);
    code = "ca-unusable", mend = "regular";
  }
  SUBCASE("the key file is empty") {
    put(key, "", 0600), code = "ca-broken", mend = "tapedeck ca create --force";
  }
  SUBCASE("the key file is cut") {
    put(key, good.substr(0, 400), 0600), code = "ca-broken", mend = "--force";
  }
  SUBCASE("the key file is large") {
    put(key, std::string(1 << 20, 'x'), 0600), code = "ca-broken", mend = "--force";
  }
  SUBCASE("key and certificate do not belong together") {
    const std::string other = key_to_pem(*make_p256_key());
    put(key, other + good.substr(good.find("-----BEGIN CERT")), 0600);
    code = "ca-broken", mend = "--force";
  }
  SUBCASE("a certificate that is no authority's") {
    const auto authority = *certified_key_from_pem(good);
    const auto own = make_p256_key();
    const auto leaf = make_leaf(authority, own.get(), "x.io", now, now + hours(1));
    put(key, key_to_pem(*own) + certificate_to_pem(*leaf), 0600);
    code = "ca-broken", mend = "--force";
  }
  const auto refused = CertificateAuthority::load_or_create(dir, now);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == code);
  INFO(refused.error().detail);
  CHECK(refused.error().detail.find(mend) != std::string::npos);
  CHECK(refused.error().detail.find("PRIVATE") == std::string::npos);
}

TEST_CASE("an authority past its end, or before its beginning, names the command that makes a new one") {
  const TemporaryFolder folder;
  const fs::path dir = folder.path() / "ca";
  const auto now = new_year_2026();
  REQUIRE(code_of(dir, now) == "loaded");
  for (const auto when : {now + days(731), now - days(2)}) {
    const auto refused = CertificateAuthority::load_or_create(dir, when);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "ca-expired");
    CHECK(refused.error().detail.find("tapedeck ca create --force") != std::string::npos);
  }
}

TEST_CASE("a new authority takes an old one's place only by force") {
  const TemporaryFolder folder;
  const fs::path dir = folder.path() / "ca";
  const auto now = new_year_2026();
  const auto first = CertificateAuthority::create_new(dir, now, {}, false).value();
  const auto refused = CertificateAuthority::create_new(dir, now, {}, false);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == "ca-exists");
  CHECK(CertificateAuthority::load_or_create(dir, now).value()->fingerprint_sha256() == first->fingerprint_sha256());

  const auto second = CertificateAuthority::create_new(dir, now, {"x.io"}, true).value();
  CHECK(second->fingerprint_sha256() != first->fingerprint_sha256());
  CHECK(second->subject() != first->subject());
  CHECK(content_of(dir / "ca.pem") == second->certificate_pem());
  CHECK(CertificateAuthority::load_or_create(dir, now).value()->fingerprint_sha256() == second->fingerprint_sha256());
  CHECK(std::distance(fs::directory_iterator(dir), {}) == 2);
}

TEST_CASE("processes that start at once end with one authority") {
  const TemporaryFolder folder;
  for (int round = 0; round < 10; ++round) {
    const fs::path dir = folder.path() / ("ca" + std::to_string(round));
    constexpr int processes = 8;
    int start[2];
    int report[2];
    REQUIRE(::pipe(start) == 0);
    REQUIRE(::pipe(report) == 0);
    for (int i = 0; i < processes; ++i) {
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child > 0) continue;
      ::close(start[1]);
      char none;
      // Returns in all of them at once, when the parent closes its end.
      if (::read(start[0], &none, 1) != 0) ::_exit(2);
      const auto made = CertificateAuthority::load_or_create(dir, new_year_2026());
      const std::string said = made ? (*made)->fingerprint_sha256() : "failed: " + made.error().code;
      const std::string line = said + std::string(100 - said.size(), ' ');
      ::_exit(::write(report[1], line.data(), line.size()) == 100 ? 0 : 1);
    }
    ::close(start[0]);
    ::close(start[1]);
    ::close(report[1]);
    std::set<std::string> said;
    std::string all;
    char piece[1000];
    for (ssize_t got; (got = ::read(report[0], piece, sizeof piece)) > 0;)
      all.append(piece, static_cast<std::size_t>(got));
    ::close(report[0]);
    for (int i = 0; i < processes; ++i) {
      int status = 0;
      REQUIRE(::wait(&status) > 0);
      CHECK(status == 0);
    }
    REQUIRE(all.size() == 100 * processes);
    for (int i = 0; i < processes; ++i) said.insert(all.substr(static_cast<std::size_t>(i) * 100, 100));
    CHECK(said.size() == 1);
    const auto kept = CertificateAuthority::load_or_create(dir, new_year_2026()).value();
    CHECK(said.begin()->starts_with(kept->fingerprint_sha256()));
    CHECK(std::distance(fs::directory_iterator(dir), {}) == 2);
  }
}
