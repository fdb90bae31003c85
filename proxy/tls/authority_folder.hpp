#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.hpp"
#include "storage/cassette/unique_fd.hpp"

namespace tapedeck {

// The folder that keeps an authority. `ca-key.pem` holds key and certificate in one file, so that the pair comes into
// being in one step, by link(); `ca.pem` is derived from it and written again whenever it is missing or differs.
// Whatever process comes second finds the whole pair of the first.
class AuthorityFolder {
 public:
  static constexpr const char* key_file_name = "ca-key.pem";
  static constexpr const char* certificate_file_name = "ca.pem";

  // Makes the folder (0700) when it is missing. Failures: ca-symlink, ca-foreign-owner, ca-readable-by-others,
  // ca-unusable.
  static Result<AuthorityFolder> open(const std::filesystem::path& dir);

  // The key file's text, or none when there is no such file. Failures as of open().
  Result<std::optional<std::string>> read_key_file() const;
  // Puts a key file in place in one step; false: one is there, and it stayed, unless `replace`.
  Result<bool> put_key_file(std::string_view text, bool replace) const;
  Result<void> derive_certificate_file(std::string_view pem) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  AuthorityFolder(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  UniqueFd fd_;
};

}  // namespace tapedeck
