#include "storage/cassette/sqlite/gathering_vfs.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <new>

#include <sqlite3.h>

#include "storage/cassette/sqlite/frame_gatherer.hpp"

namespace tapedeck {

namespace {

// The log's real file lies behind this one, in memory that SQLite allots by szOsFile. Files that are no logs are the
// real ones.
struct LogFile : sqlite3_file {
  FrameGatherer* frames;  // null where nothing is gathered
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

LogFile& log_of(sqlite3_file* file) {
  return *static_cast<LogFile*>(file);
}

// What cannot be written stays, since SQLite was told that it is, until the transaction is rolled back.
int write_gathered(LogFile& log) {
  if (log.frames == nullptr || log.frames->gathered().empty()) return SQLITE_OK;
  const auto bytes = log.frames->gathered();
  const auto at = static_cast<sqlite3_int64>(log.frames->gathered_at());
  const int written = log.real()->pMethods->xWrite(log.real(), bytes.data(), static_cast<int>(bytes.size()), at);
  if (written == SQLITE_OK) log.frames->clear();
  return written;
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  using Then = FrameGatherer::Then;
  auto& log = log_of(file);
  auto then = Then::write_directly;
  if (log.frames != nullptr) {
    const std::string_view given(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
    then = log.frames->offer(given, static_cast<std::uint64_t>(at));
  }
  if (then == Then::wait) return SQLITE_OK;
  if (const int written = write_gathered(log); written != SQLITE_OK) {
    // That ends the transaction. Its rollback reads the log, and must not find the commit written by then.
    log.frames->drop();
    return written;
  }
  if (then == Then::write_gathered) return SQLITE_OK;
  return log.real()->pMethods->xWrite(log.real(), bytes, size, at);
}

// Whatever else SQLite asks of a log, it asks of one that has what was written to it.
int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
  auto& log = log_of(file);
  const int written = write_gathered(log);
  return written != SQLITE_OK ? written : log.real()->pMethods->xRead(log.real(), bytes, size, at);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& log = log_of(file);
  if (const int written = write_gathered(log); written != SQLITE_OK) return written;
  if (log.frames != nullptr) log.frames->truncated(static_cast<std::uint64_t>(size));
  return log.real()->pMethods->xTruncate(log.real(), size);
}

int sync(sqlite3_file* file, int flags) {
  auto& log = log_of(file);
  const int written = write_gathered(log);
  return written != SQLITE_OK ? written : log.real()->pMethods->xSync(log.real(), flags);
}

int size_of(sqlite3_file* file, sqlite3_int64* size) {
  auto& log = log_of(file);
  const int written = write_gathered(log);
  return written != SQLITE_OK ? written : log.real()->pMethods->xFileSize(log.real(), size);
}

// What is still kept belongs to no transaction that was committed.
int close(sqlite3_file* file) {
  auto& log = log_of(file);
  delete log.frames;
  return log.real()->pMethods->xClose(log.real());
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

constexpr sqlite3_io_methods log_methods = [] {
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
}();

struct GatheringVfs : sqlite3_vfs {
  sqlite3_vfs* base;
  std::string name;
};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* base = static_cast<GatheringVfs*>(vfs)->base;
  if ((flags & SQLITE_OPEN_WAL) == 0) return base->xOpen(base, path, file, flags, out_flags);
  auto& log = log_of(file);
  log.pMethods = nullptr;
  log.frames = nullptr;
  auto* real = log.real();
  int opened = base->xOpen(base, path, real, flags, out_flags);
  // SQLite closes a file whose methods are set, even when opening it failed.
  if (real->pMethods == nullptr) return opened;
  log.pMethods = &log_methods;
  sqlite3_int64 log_bytes = 0;
  if (opened == SQLITE_OK) opened = real->pMethods->xFileSize(real, &log_bytes);
  // Where a write can damage what lies beside it, SQLite pads its logs, in pieces that are no frames.
  const bool has_frames_only = (device_characteristics(file) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
  if (opened != SQLITE_OK || !has_frames_only) return opened;
  try {
    log.frames = new FrameGatherer(static_cast<std::uint64_t>(log_bytes));
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
  return SQLITE_OK;
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
  // SQLite refers to a layer until the last moment of the program, and so none is ever destroyed.
  static auto& mutex = *new std::mutex;
  static auto& layers = *new std::map<sqlite3_vfs*, std::unique_ptr<GatheringVfs>>;
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

void drop_gathered(sqlite3* database) {
  sqlite3_file* log = nullptr;
  const int found = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (found != SQLITE_OK || log == nullptr || log->pMethods != &log_methods) return;
  if (auto* frames = log_of(log).frames) frames->drop();
}

}  // namespace tapedeck
