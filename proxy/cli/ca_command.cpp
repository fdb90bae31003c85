#include <chrono>
#include <ostream>

#include "config/text.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/runtime/readable_units.hpp"
#include "proxy/tls/authority_folder.hpp"
#include "proxy/tls/certificate_authority.hpp"

namespace tapedeck {

namespace {

using TimePoint = CertificateAuthority::TimePoint;
using Authority = std::shared_ptr<const CertificateAuthority>;

std::int64_t microseconds_of(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

// Showing makes nothing: without a CA that is the answer.
Result<Authority> existing(const CaCommand& command, TimePoint now) {
  std::error_code error;
  if (!std::filesystem::exists(command.dir / AuthorityFolder::key_file_name, error)) {
    return Failure{"ca-missing", Blame::us,
                   "there is no CA in " + command.dir.string() + " yet; make one with: tapedeck ca create"};
  }
  return CertificateAuthority::load_or_create(command.dir, now);
}

}  // namespace

int make_or_show_ca(const CaCommand& command, std::ostream& out, std::ostream& err) {
  const TimePoint now = std::chrono::system_clock::now();
  const bool creates = command.action == CaCommand::Action::create;
  const auto authority = creates ? CertificateAuthority::create_new(command.dir, now, command.only, command.force)
                                 : existing(command, now);
  if (!authority) {
    say_failure(err, authority.error().detail);
    return 1;
  }
  const CertificateAuthority& ca = **authority;
  const std::string file = ca.certificate_file().string();
  if (command.action == CaCommand::Action::path) {
    out << file << '\n';
    return 0;
  }
  out << "file         " << printable(file) << '\n'
      << "subject      " << printable(ca.subject()) << '\n'
      << "fingerprint  SHA-256 " << ca.fingerprint_sha256() << '\n'
      << "expires      " << rfc3339_text(microseconds_of(ca.expires_at())) << '\n'
      << "Chromium     --ignore-certificate-errors-spki-list=" << ca.public_key_sha256() << '\n';
  if (const std::string warning = ca.expiry_warning(now); !warning.empty()) {
    err << "tapedeck: warning: " << printable(warning) << '\n';
  }
  return 0;
}

}  // namespace tapedeck
