#include "proxy/tls/settings_files.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "proxy/runtime/small_file.hpp"

namespace tapedeck {
namespace {

constexpr std::string_view system_wgetrc = "/etc/wgetrc";
constexpr std::size_t system_wgetrc_bytes_max = 1024 * 1024;

// PHP divides its list of folders at colons, and between single quotes it has no escapes.
bool php_can_read(const std::string& path) {
  return std::none_of(path.begin(), path.end(), [](char c) { return c == ':' || c == '\'' || (c >= 0 && c < ' '); });
}

// A line of wget's is trimmed and goes to its end.
bool wget_can_read(const std::string& path) {
  return std::none_of(path.begin(), path.end(), [](char c) { return c >= 0 && c < ' '; });
}

std::string beside(std::string_view name, std::string bundle_name) {
  constexpr std::string_view prefix = "bundle";
  if (bundle_name.starts_with(prefix)) bundle_name.erase(0, prefix.size());
  return std::string(name) + bundle_name;
}

}  // namespace

SettingsFiles settings_files_of(const std::filesystem::path& bundle_file) {
  SettingsFiles files;
  const auto folder = bundle_file.parent_path();
  const std::string stem = bundle_file.stem().string();
  if (php_can_read(bundle_file.string())) files.php_folder = folder / beside("php", stem);
  if (wget_can_read(bundle_file.string())) files.wgetrc = folder / beside("wgetrc", stem);
  return files;
}

Result<void> write_settings_files(const std::filesystem::path& bundle_file) {
  const auto [php_folder, wgetrc] = settings_files_of(bundle_file);
  if (!php_folder.empty()) {
    std::error_code error;
    std::filesystem::create_directory(php_folder, error);
    if (error) {
      return Failure{"file-unwritable", Blame::us,
                     php_folder.string() + " cannot be made (" + error.message() + "); name another with --ca-dir"};
    }
    const std::string file = "'" + bundle_file.string() + "'";
    const std::string text = "curl.cainfo = " + file + "\nopenssl.cafile = " + file + "\n";
    if (auto done = write_file_if_changed(php_folder / "tapedeck.ini", text, 0644); !done) return done;
  }
  if (!wgetrc.empty()) {
    // Ours is read in place of the system's, so that has to be in it.
    const auto system = read_small_file(system_wgetrc, system_wgetrc_bytes_max);
    const std::string text = (system ? *system + "\n" : "") + "ca_certificate = " + bundle_file.string() + "\n";
    if (auto done = write_file_if_changed(wgetrc, text, 0644); !done) return done;
  }
  return {};
}

}  // namespace tapedeck
