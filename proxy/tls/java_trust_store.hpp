#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.hpp"

namespace tapedeck {

constexpr std::string_view java_trust_store_password = "changeit";  // NOLINT: Java's own default, guards nothing secret

// A key store of Java's own format (JKS, version 2) that holds `certificates` (DER) as trusted entries.
std::string java_trust_store(const std::vector<std::string>& certificates);

// Writes one beside `bundle_file` with the same certificates: bundle.pem gives truststore.jks. Failures:
// java-trust-store-path (a JVM would take a path with white space for several options), file-missing, file-unwritable.
Result<std::filesystem::path> write_java_trust_store(const std::filesystem::path& ca_dir,
                                                     const std::filesystem::path& bundle_file);

}  // namespace tapedeck
