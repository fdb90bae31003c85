#include "proxy/tls/trust_bundle.hpp"

#include <cstdint>
#include <fstream>

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include "proxy/tls/certificates.hpp"
#include "proxy/tls/java_trust_store.hpp"
#include "proxy/tls/settings_files.hpp"
#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using namespace tapedeck::test;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string root_pem(std::string_view name) {
  const auto now = new_year_2026();
  return certificate_to_pem(*make_authority(name, {}, now, now + std::chrono::days(1)).certificate);
}

std::vector<std::string> certificates_in(const fs::path& file) {
  return certificates_der_from_pem(content_of(file));
}

std::string der_of(const std::string& pem) {
  return certificates_der_from_pem(pem).at(0);
}

}  // namespace

TEST_CASE("the bundle holds the parent's roots and ours, each once, and nothing that is no certificate") {
  const TemporaryFolder folder;
  const std::string ours = root_pem("ours");
  const std::string corporate = root_pem("corporate");
  const std::string extra = root_pem("extra");
  const fs::path roots = folder.path() / "roots.pem";
  const fs::path others = folder.path() / "others.pem";
  std::ofstream(roots) << "a comment\n" << corporate << key_to_pem(*make_p256_key()) << corporate;
  std::ofstream(others) << extra << corporate;
  const Environment parent = {{"SSL_CERT_FILE", roots.string()},
                              {"NODE_EXTRA_CA_CERTS", others.string()},
                              {"REQUESTS_CA_BUNDLE", others.string()},
                              {"CURL_CA_BUNDLE", "/nowhere/at/all.pem"},
                              {"AWS_CA_BUNDLE", ""}};
  const fs::path bundle = write_trust_bundle(folder.path(), ours, parent).value();
  CHECK(content_of(bundle).find("PRIVATE KEY") == std::string::npos);
  CHECK(certificates_in(bundle) == std::vector{der_of(corporate), der_of(extra), der_of(ours)});

  // A tapedeck within a tapedeck: our own bundle is the parent's.
  const Environment nested = {{"SSL_CERT_FILE", bundle.string()}};
  const fs::path again = write_trust_bundle(folder.path(), ours, nested).value();
  CHECK(certificates_in(again) == certificates_in(bundle));
}

TEST_CASE("runs whose environments trust otherwise do not overwrite each other's bundle") {
  const TemporaryFolder folder;
  const std::string ours = root_pem("ours");
  std::ofstream(folder.path() / "a.pem") << root_pem("a");
  std::ofstream(folder.path() / "b.pem") << root_pem("b");
  const auto bundle_for = [&](const Environment& parent) {
    return write_trust_bundle(folder.path(), ours, parent).value().filename().string();
  };
  const std::string a = bundle_for({{"SSL_CERT_FILE", (folder.path() / "a.pem").string()}});
  const std::string b = bundle_for({{"SSL_CERT_FILE", (folder.path() / "b.pem").string()}});
  CHECK(bundle_for({}) == "bundle.pem");
  CHECK(a != b);
  CHECK(a.starts_with("bundle-"));
  CHECK(certificates_in(folder.path() / "bundle.pem").back() == der_of(ours));
}

TEST_CASE("a parent's file that is not there leaves the system's roots") {
  CHECK(trust_sources({{"SSL_CERT_FILE", "/nowhere/at/all.pem"}}).roots == trust_sources({}).roots);
  CHECK(trust_sources({}).others.empty());
}

TEST_CASE("a bundle that cannot be written is a failure that names it") {
  const auto failed = write_trust_bundle("/nowhere/at/all", root_pem("ours"), {});
  REQUIRE(failed.has_error());
  CHECK(failed.error().code == "file-unwritable");
  CHECK(failed.error().detail.find("/nowhere/at/all") != std::string::npos);
}

namespace {

// Reads a JKS as Java does: DataInputStream's numbers and texts, front to back.
class JksReader {
 public:
  explicit JksReader(std::string_view bytes) : left_(bytes) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string take(std::size_t bytes) {
    REQUIRE(bytes <= left_.size());
    const std::string taken(left_.substr(0, bytes));
    left_.remove_prefix(bytes);
    return taken;
  }
  std::string text() { return take(number(2)); }
  std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
};

std::string sha1(const std::string& text) {
  std::string digest(20, '\0');
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha1(), nullptr);
  return digest;
}

}  // namespace

TEST_CASE("the Java trust store is a JKS of trusted certificates with a true digest") {
  const std::vector<std::string> certificates{der_of(root_pem("a")), der_of(root_pem("b")), der_of(root_pem("c"))};
  const std::string store = java_trust_store(certificates);
  JksReader reader(store);
  CHECK(reader.number(4) == 0xfeedfeed);
  CHECK(reader.number(4) == 2);
  REQUIRE(reader.number(4) == certificates.size());
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    CHECK(reader.number(4) == 2);
    CHECK(reader.text() == "trusted-" + std::to_string(i));
    reader.number(8);
    CHECK(reader.text() == "X.509");
    CHECK(reader.take(reader.number(4)) == certificates[i]);
  }
  REQUIRE(reader.left() == 20);
  const std::string password("\0c\0h\0a\0n\0g\0e\0i\0t", 16);
  CHECK(reader.take(20) == sha1(password + "Mighty Aphrodite" + store.substr(0, store.size() - 20)));
}

TEST_CASE("the Java trust store follows its bundle, where Java can be told of its path") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "bundle-12ab.pem") << root_pem("a") << root_pem("b");
  const fs::path store = write_java_trust_store(folder.path(), folder.path() / "bundle-12ab.pem").value();
  CHECK(store == folder.path() / "truststore-12ab.jks");
  CHECK(content_of(store) == java_trust_store(certificates_in(folder.path() / "bundle-12ab.pem")));

  const fs::path spaced = folder.path() / "with space";
  fs::create_directory(spaced);
  fs::copy_file(folder.path() / "bundle-12ab.pem", spaced / "bundle.pem");
  const auto refused = write_java_trust_store(spaced, spaced / "bundle.pem");
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == "java-trust-store-path");
  CHECK(write_java_trust_store(folder.path(), folder.path() / "none.pem").error().code == "file-missing");
}

TEST_CASE("files of settings name their bundle, and lie beside it") {
  const TemporaryFolder folder;
  const fs::path bundle = folder.path() / "with space" / "bundle-12ab.pem";
  fs::create_directory(bundle.parent_path());
  REQUIRE(write_settings_files(bundle).has_value());
  const SettingsFiles files = settings_files_of(bundle);
  CHECK(files.php_folder == bundle.parent_path() / "php-12ab");
  CHECK(files.wgetrc == bundle.parent_path() / "wgetrc-12ab");
  const std::string quoted = "'" + bundle.string() + "'";
  CHECK(content_of(files.php_folder / "tapedeck.ini") ==
        "curl.cainfo = " + quoted + "\nopenssl.cafile = " + quoted + "\n");
  CHECK(content_of(files.wgetrc).ends_with("ca_certificate = " + bundle.string() + "\n"));
  CHECK(write_settings_files(bundle).has_value());
  CHECK(write_settings_files(folder.path() / "none" / "bundle.pem").error().code == "file-unwritable");
}

TEST_CASE("a path that a client could not be told of makes no file of settings") {
  struct Row {
    const char* name;
    const char* folder;
    bool php;
    bool wget;
  };
  for (const Row& row : {Row{"plain", "/ca", true, true}, Row{"a space", "/c a", true, true},
                         Row{"a quote", "/c'a", false, true}, Row{"a colon", "/c:a", false, true},
                         Row{"a line's end", "/c\na", false, false}, Row{"beyond ASCII", "/c\xc3\xa5", true, true}}) {
    CAPTURE(row.name);
    const SettingsFiles files = settings_files_of(fs::path(row.folder) / "bundle.pem");
    CHECK(files.php_folder == (row.php ? fs::path(row.folder) / "php" : fs::path()));
    CHECK(files.wgetrc == (row.wget ? fs::path(row.folder) / "wgetrc" : fs::path()));
  }
}
