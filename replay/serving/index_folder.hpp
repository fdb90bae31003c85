#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "config/result.hpp"
#include "replay/serving/index_layout.hpp"

namespace tapedeck {

// The folder that keeps index files. All in it is derived and may be deleted at any time, also while it is used: what
// is mapped stays until its reader ends. Files appear whole, by rename, so that any number of processes may make the
// same one at once.
class IndexFolder {
 public:
  static constexpr std::size_t files_max = 16;  // the ones unused for longest go

  explicit IndexFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path file(const std::string& name) const { return path_ / (name + suffix); }
  // nullopt: there is no such file, or it is not ours alone to write.
  std::optional<IndexBytes> map(const std::string& name) const;
  // Failure `index-unwritable` names the file and the system's reason.
  Result<void> write(const std::string& name, std::uint64_t bytes,
                     const std::function<bool(const IndexSink&)>& write_image) const;
  void drop(const std::string& name) const;

 private:
  static constexpr const char* suffix = ".index";
  Result<void> make() const;
  void forget_oldest() const;

  std::filesystem::path path_;
};

}  // namespace tapedeck
