#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/load_options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// Where `parent`'s clients find their roots: its SSL_CERT_FILE, else the system's; and beside that every bundle that
// another of its variables names, so that what was trusted stays trusted.
struct TrustSources {
  std::filesystem::path roots;                // empty: the system has none
  std::vector<std::filesystem::path> others;  // from the environment alone
  bool roots_are_the_systems = false;
};
TrustSources trust_sources(const Environment& parent);

// Writes into `ca_dir` the file for clients that take one bundle instead of the system's roots: all of the sources'
// certificates, each once, and `ca_pem`; sources that cannot be read are passed over. Its name is bundle.pem, or one of
// its own for each set of sources that an environment names, so that runs that differ do not overwrite each other's.
// Failure `file-unwritable`.
Result<std::filesystem::path> write_trust_bundle(const std::filesystem::path& ca_dir, std::string_view ca_pem,
                                                 const Environment& parent);

}  // namespace tapedeck
