#pragma once

#include <filesystem>

#include "config/result.hpp"

namespace tapedeck {

// Files of settings for clients that no variable tells of a bundle, only of a file that names one. They lie beside the
// bundle and are named after it: bundle-12ab.pem gives php-12ab/tapedeck.ini and wgetrc-12ab. Empty is a path that the
// client could not be told of.
struct SettingsFiles {
  std::filesystem::path php_folder;  // one more for PHP to scan
  std::filesystem::path wgetrc;      // the system's, and the bundle
};
SettingsFiles settings_files_of(const std::filesystem::path& bundle_file);

// Writes them. Failure `file-unwritable`.
Result<void> write_settings_files(const std::filesystem::path& bundle_file);

}  // namespace tapedeck
