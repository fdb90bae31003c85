#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <string_view>

namespace tapedeck::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = std::filesystem::temp_directory_path() / ("tapedeck-replay-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directory(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace tapedeck::test
