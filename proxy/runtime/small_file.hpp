#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "config/result.hpp"

namespace tapedeck {

// The whole of a regular file that holds at most `bytes_max`. Failures: file-missing, file-unreadable, file-too-large;
// each names the file.
Result<std::string> read_small_file(const std::filesystem::path& file, std::size_t bytes_max);

// Readers see the old content or the new, never a part: a temporary file beside it is renamed over it. A symlink at
// `file` is replaced, not followed. Failure `file-unwritable` names the file and the system's reason.
Result<void> write_file_atomically(const std::filesystem::path& file, std::string_view content, mode_t mode);

// As write_file_atomically, but leaves a file of that very content alone.
Result<void> write_file_if_changed(const std::filesystem::path& file, std::string_view content, mode_t mode);

}  // namespace tapedeck
