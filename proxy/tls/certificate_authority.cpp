#include "proxy/tls/certificate_authority.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <pwd.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "proxy/tls/authority_folder.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/openssl_handles.hpp"
#include "proxy/tls/tls_names.hpp"

namespace tapedeck {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr days authority_life{2 * 365};
constexpr days warning_before_end{30};
constexpr days leaf_life{7};
// Clocks of containers and virtual machines run behind.
constexpr hours leaf_backdating{1};
constexpr days authority_backdating{1};

std::string new_authority_command(const std::filesystem::path& dir) {
  return "`tapedeck ca create --force --ca-dir " + dir.string() + "`";
}

std::string date_text(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

std::string user_name() {
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found) return found->pw_name;
  return "user" + std::to_string(geteuid());
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// Printable ASCII alone: what odd names hold must not break a certificate.
std::string plain(std::string text, std::size_t bytes_max) {
  std::erase_if(text, [](char c) { return c <= ' ' || c >= 127; });
  return text.substr(0, bytes_max);
}

// Tells its owner and, among several of one owner, itself.
std::string common_name() {
  std::array<unsigned char, 3> id;
  require_openssl(RAND_bytes(id.data(), id.size()) == 1, "RAND_bytes");
  std::string text = "Tapedeck CA " + plain(user_name(), 20) + "@" + plain(host_name(), 24) + " ";
  for (const unsigned char byte : id) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// In name constraints a DNS name stands for itself and all below it.
Result<std::vector<std::string>> constraint_names(const std::vector<std::string>& only) {
  std::vector<std::string> names;
  for (std::string name : only) {
    if (name.starts_with("*.")) name.erase(0, 2);
    if (!is_dns_name(name) && !is_ip_literal(name)) {
      return Failure{"ca-bad-name", Blame::us,
                     "--only \"" + plain(name, 80) + "\" is neither a host name (in lower case) nor an address"};
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<CertifiedKey> read_pair(const AuthorityFolder& folder, const std::string& text, WallTime now,
                               const std::vector<std::string>& only) {
  const auto file = (folder.path() / AuthorityFolder::key_file_name).string();
  auto pair = certified_key_from_pem(text);
  if (!pair || X509_check_ca(pair->certificate.get()) != 1) {
    return Failure{"ca-broken", Blame::us,
                   file + " does not hold a CA's key and certificate; make a new one with " +
                       new_authority_command(folder.path())};
  }
  if (now >= not_after_of(*pair->certificate)) {
    return Failure{"ca-expired", Blame::us,
                   "the CA in " + file + " ended on " + date_text(not_after_of(*pair->certificate)) +
                       "; make a new one with " + new_authority_command(folder.path()) + " and trust that"};
  }
  if (now < not_before_of(*pair->certificate)) {
    return Failure{"ca-expired", Blame::us,
                   "the CA in " + file + " starts on " + date_text(not_before_of(*pair->certificate)) +
                       ", which is still to come; set the clock, or make a new one with " +
                       new_authority_command(folder.path())};
  }
  if (!only.empty() && name_constraints_der(*pair->certificate) != name_constraints_der(only)) {
    return Failure{"ca-other-names", Blame::us,
                   "the CA in " + file +
                       " is not limited to the names of --only; leave --only out, give another --ca-dir, " +
                       "or make a new one with " + new_authority_command(folder.path()) + " and the same --only"};
  }
  return *pair;
}

CertifiedKey make_pair(WallTime now, const std::vector<std::string>& only) {
  return make_authority(common_name(), only, now - authority_backdating, now + authority_life);
}

bool permits(NAME_CONSTRAINTS& constraints, X509& leaf) {
  // Names are looked at only in a certificate whose extensions OpenSSL has parsed, which this call makes it do.
  X509_check_purpose(&leaf, -1, 0);
  return NAME_CONSTRAINTS_check(&leaf, &constraints) == X509_V_OK;
}

std::string key_file_text(const CertifiedKey& pair) {
  return key_to_pem(*pair.key) + certificate_to_pem(*pair.certificate);
}

}  // namespace

struct CertificateAuthority::State {
  std::filesystem::path dir;
  CertifiedKey pair;
  std::string certificate_pem;
  NameConstraintsHandle constraints;  // null: none
  std::shared_ptr<EVP_PKEY> leaf_key;

  static Result<std::unique_ptr<State>> of(const AuthorityFolder& folder, CertifiedKey pair) {
    auto state = std::make_unique<State>();
    state->dir = folder.path();
    state->certificate_pem = certificate_to_pem(*pair.certificate);
    if (auto derived = folder.derive_certificate_file(state->certificate_pem); !derived) return derived.error();
    state->constraints.reset(static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(pair.certificate.get(), NID_name_constraints, nullptr, nullptr)));
    state->leaf_key = make_p256_key();
    state->pair = std::move(pair);
    return state;
  }
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<State> state) : state_(std::move(state)) {
}
CertificateAuthority::~CertificateAuthority() = default;

Result<std::shared_ptr<const CertificateAuthority>> CertificateAuthority::load_or_create(
    const std::filesystem::path& dir, TimePoint now, const std::vector<std::string>& only) {
  const auto names = constraint_names(only);
  if (!names) return names.error();
  const auto folder = AuthorityFolder::open(dir);
  if (!folder) return folder.error();
  auto text = folder->read_key_file();
  if (!text) return text.error();
  if (!*text) {
    auto put = folder->put_key_file(key_file_text(make_pair(now, *names)), false);
    if (!put) return put.error();
    // Ours or, when another process was first, theirs: either way what is in the folder now is what counts.
    text = folder->read_key_file();
    if (!text) return text.error();
  }
  auto pair = read_pair(*folder, text->value_or(std::string()), now, *names);
  if (!pair) return pair.error();
  auto state = State::of(*folder, std::move(*pair));
  if (!state) return state.error();
  return std::shared_ptr<const CertificateAuthority>(new CertificateAuthority(std::move(*state)));
}

Result<std::shared_ptr<const CertificateAuthority>> CertificateAuthority::create_new(
    const std::filesystem::path& dir, TimePoint now, const std::vector<std::string>& only, bool force) {
  const auto names = constraint_names(only);
  if (!names) return names.error();
  const auto folder = AuthorityFolder::open(dir);
  if (!folder) return folder.error();
  CertifiedKey pair = make_pair(now, *names);
  const auto put = folder->put_key_file(key_file_text(pair), force);
  if (!put) return put.error();
  if (!*put) {
    return Failure{"ca-exists", Blame::us,
                   "there is a CA in " + folder->path().string() + "; replace it for good with " +
                       new_authority_command(folder->path())};
  }
  auto state = State::of(*folder, std::move(pair));
  if (!state) return state.error();
  return std::shared_ptr<const CertificateAuthority>(new CertificateAuthority(std::move(*state)));
}

std::filesystem::path CertificateAuthority::certificate_file() const {
  return state_->dir / AuthorityFolder::certificate_file_name;
}

const std::string& CertificateAuthority::certificate_pem() const {
  return state_->certificate_pem;
}

std::string CertificateAuthority::fingerprint_sha256() const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  require_openssl(X509_digest(state_->pair.certificate.get(), EVP_sha256(), digest.data(), &size) == 1, "X509_digest");
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += "0123456789ABCDEF"[digest[i] >> 4];
    text += "0123456789ABCDEF"[digest[i] & 15];
  }
  return text;
}

std::string CertificateAuthority::public_key_sha256() const {
  unsigned char* der = nullptr;
  const int der_bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(state_->pair.certificate.get()), &der);
  require_openssl(der_bytes > 0, "i2d_X509_PUBKEY");
  std::array<unsigned char, 32> digest{};
  const int done = EVP_Digest(der, static_cast<std::size_t>(der_bytes), digest.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  require_openssl(done == 1, "EVP_Digest");
  std::array<unsigned char, 48> text{};
  const int text_bytes = EVP_EncodeBlock(text.data(), digest.data(), digest.size());
  return {text.begin(), text.begin() + text_bytes};
}

std::string CertificateAuthority::subject() const {
  std::array<char, 128> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(state_->pair.certificate.get()), NID_commonName, text.data(),
                            text.size());
  return text.data();
}

CertificateAuthority::TimePoint CertificateAuthority::expires_at() const {
  return not_after_of(*state_->pair.certificate);
}

std::string CertificateAuthority::expiry_warning(TimePoint now) const {
  if (now < expires_at() - warning_before_end) return {};
  return "the CA in " + state_->dir.string() + " ends on " + date_text(expires_at()) + "; make a new one with " +
         new_authority_command(state_->dir) + " and trust that";
}

Result<CertificateAuthority::Leaf> CertificateAuthority::mint(std::string_view name, TimePoint now) const {
  if (!is_dns_name(name) && !is_ip_literal(name)) {
    return Failure{"ca-bad-name", Blame::client,
                   "no certificate can be made for \"" + plain(std::string(name), 80) + "\": it is no host name"};
  }
  if (now >= expires_at()) return Failure{"ca-expired", Blame::us, expiry_warning(now)};
  const TimePoint not_after = std::min(now + leaf_life, expires_at());
  Leaf leaf{make_leaf(state_->pair, state_->leaf_key.get(), name, now - leaf_backdating, not_after), state_->leaf_key,
            not_after, state_->pair.certificate};
  if (state_->constraints && !permits(*state_->constraints, *leaf.certificate)) {
    return Failure{"ca-name-not-permitted", Blame::us,
                   "the CA in " + state_->dir.string() + " was made with --only and may not sign for " +
                       std::string(name) + "; make one that may with " + new_authority_command(state_->dir)};
  }
  return leaf;
}

}  // namespace tapedeck
