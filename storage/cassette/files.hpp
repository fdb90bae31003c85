#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "config/result.hpp"
#include "storage/cassette/unique_fd.hpp"

namespace tapedeck {

// The few things done with files that SQLite does not do for us.

// The files that SQLite may leave beside a cassette.
std::filesystem::path wal_of(const std::filesystem::path& cassette);
std::filesystem::path shm_of(const std::filesystem::path& cassette);
std::filesystem::path journal_of(const std::filesystem::path& cassette);

// One name for a file, however it was reached: SQLite's own files lie beside what a symbolic link points to.
std::filesystem::path real_path(const std::filesystem::path& file);

// Whether SQLite must recover the cassette before it can be read. An empty -wal counts: SQLite reads the file as one in
// WAL mode when there is one at all.
bool has_hot_journal(const std::filesystem::path& cassette);
bool has_wal(const std::filesystem::path& cassette);

// A rollback journal that names a super-journal makes SQLite look at, and delete, whatever file that is. We never make
// one, so it is a trap laid beside the cassette.
bool names_super_journal(const std::filesystem::path& journal);

// Makes a rename or a removal in the folder last.
void sync_folder_of(const std::filesystem::path& file);

// The text of errno, for failures.
std::string system_reason();

}  // namespace tapedeck
