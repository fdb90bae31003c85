#include "storage/cassette/sqlite/gathering_vfs.hpp"

#include <map>
#include <memory>
#include <mutex>

#include <sqlite3.h>

#include "storage/cassette/sqlite/frame_gatherer.hpp"

namespace tapedeck {

namespace {

// The log's real file lies behind this one, in memory that SQLite allots by szOsFile. Files that are no logs are the
// real ones.
struct LogFile : sqlite3_file {
  FrameGatherer* frames;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

LogFile& log_of(sqlite3_file* file) {
  return *static_cast<LogFile*>(file);
}

// Whatever else SQLite asks of a log, it asks of one that has what was written to it. A transaction whose write failed
// is taken back by SQLite, so what could not be written is given up.
sqlite3_file* whole_file(sqlite3_file* file, int& written) {
  auto& log = log_of(file);
  written = SQLITE_OK;
  const auto bytes = log.frames->gathered();
  if (!bytes.empty()) {
    const auto at = static_cast<sqlite3_int64>(log.frames->gathered_at());
    written = log.real()->pMethods->xWrite(log.real(), bytes.data(), static_cast<int>(bytes.size()), at);
    log.frames->clear();
  }
  return log.real();
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  using Then = FrameGatherer::Then;
  const std::string_view given(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  const auto then = log_of(file).frames->offer(given, static_cast<std::uint64_t>(at));
  if (then == Then::wait) return SQLITE_OK;
  int written = SQLITE_OK;
  auto* real = whole_file(file, written);
  if (written != SQLITE_OK || then == Then::write_gathered) return written;
  return real->pMethods->xWrite(real, bytes, size, at);
}

int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
  int written = SQLITE_OK;
  auto* real = whole_file(file, written);
  return written != SQLITE_OK ? written : real->pMethods->xRead(real, bytes, size, at);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  int written = SQLITE_OK;
  auto* real = whole_file(file, written);
  log_of(file).frames->truncated(static_cast<std::uint64_t>(size));
  return written != SQLITE_OK ? written : real->pMethods->xTruncate(real, size);
}

int sync(sqlite3_file* file, int flags) {
  int written = SQLITE_OK;
  auto* real = whole_file(file, written);
  return written != SQLITE_OK ? written : real->pMethods->xSync(real, flags);
}

int size_of(sqlite3_file* file, sqlite3_int64* size) {
  int written = SQLITE_OK;
  auto* real = whole_file(file, written);
  return written != SQLITE_OK ? written : real->pMethods->xFileSize(real, size);
}

int close(sqlite3_file* file) {
  int written = SQLITE_OK;
  auto* real = whole_file(file, written);
  delete log_of(file).frames;
  const int closed = real->pMethods->xClose(real);
  return written != SQLITE_OK ? written : closed;
}

// SQLite locks the database and never its log; these pass on what they are asked.
int lock(sqlite3_file* file, int level) {
  auto* real = log_of(file).real();
  return real->pMethods->xLock(real, level);
}
int unlock(sqlite3_file* file, int level) {
  auto* real = log_of(file).real();
  return real->pMethods->xUnlock(real, level);
}
int check_reserved_lock(sqlite3_file* file, int* is_reserved) {
  auto* real = log_of(file).real();
  return real->pMethods->xCheckReservedLock(real, is_reserved);
}
int control(sqlite3_file* file, int what, void* argument) {
  auto* real = log_of(file).real();
  return real->pMethods->xFileControl(real, what, argument);
}
int sector_size(sqlite3_file* file) {
  auto* real = log_of(file).real();
  return real->pMethods->xSectorSize(real);
}
int device_characteristics(sqlite3_file* file) {
  auto* real = log_of(file).real();
  return real->pMethods->xDeviceCharacteristics(real);
}

sqlite3_io_methods make_log_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;  // shared memory and mapping are the database's
  methods.xClose = close;
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = size_of;
  methods.xLock = lock;
  methods.xUnlock = unlock;
  methods.xCheckReservedLock = check_reserved_lock;
  methods.xFileControl = control;
  methods.xSectorSize = sector_size;
  methods.xDeviceCharacteristics = device_characteristics;
  return methods;
}

struct GatheringVfs : sqlite3_vfs {
  sqlite3_vfs* base;
  std::string name;
};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods methods = make_log_methods();
  auto* base = static_cast<GatheringVfs*>(vfs)->base;
  if ((flags & SQLITE_OPEN_WAL) == 0) return base->xOpen(base, path, file, flags, out_flags);
  auto& log = log_of(file);
  log.pMethods = nullptr;
  auto* real = log.real();
  const int opened = base->xOpen(base, path, real, flags, out_flags);
  // SQLite closes a file whose methods are set, even when opening it failed.
  if (real->pMethods == nullptr) return opened;
  sqlite3_int64 log_bytes = 0;
  const int sized = opened == SQLITE_OK ? real->pMethods->xFileSize(real, &log_bytes) : opened;
  log.frames = new FrameGatherer(static_cast<std::uint64_t>(log_bytes));
  log.pMethods = &methods;
  return sized;
}

std::unique_ptr<GatheringVfs> make_vfs(sqlite3_vfs& base) {
  auto vfs = std::make_unique<GatheringVfs>();
  static_cast<sqlite3_vfs&>(*vfs) = base;  // everything but opening is the base's
  vfs->base = &base;
  vfs->name = std::string("gathering-") + base.zName;
  vfs->zName = vfs->name.c_str();
  vfs->pNext = nullptr;
  vfs->szOsFile = static_cast<int>(sizeof(LogFile)) + base.szOsFile;
  vfs->xOpen = open;
  return vfs;
}

}  // namespace

std::string gathering_vfs(const std::string& base_name) {
  // SQLite refers to a layer as long as it is registered, which is until the program ends.
  static std::mutex mutex;
  static std::map<sqlite3_vfs*, std::unique_ptr<GatheringVfs>> layers;
  auto* base = sqlite3_vfs_find(base_name.empty() ? nullptr : base_name.c_str());
  if (base == nullptr) return {};
  const std::lock_guard lock(mutex);
  auto& layer = layers[base];
  if (!layer) {
    auto made = make_vfs(*base);
    if (sqlite3_vfs_register(made.get(), 0) != SQLITE_OK) return {};
    layer = std::move(made);
  }
  return layer->name;
}

}  // namespace tapedeck
