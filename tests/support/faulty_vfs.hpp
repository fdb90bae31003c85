#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <signal.h>
#include <unistd.h>

#include <sqlite3.h>

namespace tapedeck::test {

// A file layer for SQLite that wraps the system's own and, at the Nth operation that changes a file, fails or kills the
// process. Every write, sync, truncation and deletion counts, in whatever file. Operations before and between go
// through, so a run with no fault in reach is a run with the real layer. It models I/O errors and death of the process,
// not loss of power: what was written stays written.
struct FaultPlan {
  enum class Kind {
    fail_once,         // the Nth operation fails with `result_code`, later ones go through
    fail_from_then,    // so do all after it, as on a full disk
    die_before,        // the process is killed instead of the Nth operation
    die_half_written,  // the same, after half of the bytes of a write
    die_at_last_byte,  // the same, after all of them but one
  };
  Kind kind = Kind::fail_once;
  int result_code = SQLITE_IOERR_WRITE;
  int at = 0;  // counted from 1; 0: never
};

class FaultyVfs {
 public:
  static constexpr const char* name = "faulty";

  // Registers the layer at the first call.
  static void plan(const FaultPlan& plan) {
    static const int registered = register_once();
    (void)registered;
    state().plan = plan;
    state().operations = 0;
    state().fired = false;
  }
  static void plan_nothing() { plan({}); }
  static bool fired() { return state().fired; }
  // Since the last plan.
  static int operations() { return state().operations; }

 private:
  struct State {
    FaultPlan plan;
    std::atomic<int> operations{0};
    std::atomic<bool> fired{false};
  };
  // The real file lies behind this one, in memory that SQLite allots by szOsFile.
  struct File : sqlite3_file {
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static State& state() {
    static State state;
    return state;
  }
  static sqlite3_vfs*& real_vfs() {
    static sqlite3_vfs* vfs = nullptr;
    return vfs;
  }
  static sqlite3_file* real(sqlite3_file* file) { return static_cast<File*>(file)->real(); }

  // SQLITE_OK when the operation may go on.
  // `write_part` is called with how many of the `size` bytes still get written.
  template <class WritePart>
  static int next_operation(int size, WritePart write_part) {
    const auto& plan = state().plan;
    const int operation = ++state().operations;
    if (plan.at == 0 || operation < plan.at) return SQLITE_OK;
    if (operation > plan.at && plan.kind != FaultPlan::Kind::fail_from_then) return SQLITE_OK;
    state().fired = true;
    if (plan.kind == FaultPlan::Kind::die_half_written) write_part(size / 2);
    if (plan.kind == FaultPlan::Kind::die_at_last_byte) write_part(size - 1);
    const bool dies = plan.kind != FaultPlan::Kind::fail_once && plan.kind != FaultPlan::Kind::fail_from_then;
    if (dies) ::kill(::getpid(), SIGKILL);
    return plan.result_code;
  }
  static int next_operation() {
    return next_operation(0, [](int) {});
  }

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
    const int fault =
        next_operation(size, [&](int part) { real(file)->pMethods->xWrite(real(file), bytes, std::max(part, 0), at); });
    return fault != SQLITE_OK ? fault : real(file)->pMethods->xWrite(real(file), bytes, size, at);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    const int fault = next_operation();
    return fault != SQLITE_OK ? fault : real(file)->pMethods->xTruncate(real(file), size);
  }
  static int sync(sqlite3_file* file, int flags) {
    const int fault = next_operation();
    return fault != SQLITE_OK ? fault : real(file)->pMethods->xSync(real(file), flags);
  }
  static int remove(sqlite3_vfs*, const char* path, int sync_folder) {
    const int fault = next_operation();
    return fault != SQLITE_OK ? fault : real_vfs()->xDelete(real_vfs(), path, sync_folder);
  }

  static int close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
  static int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
    return real(file)->pMethods->xRead(real(file), bytes, size, at);
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); }
  static int lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
  static int unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
  static int check_reserved(sqlite3_file* file, int* out) {
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
  }
  static int control(sqlite3_file* file, int what, void* argument) {
    return real(file)->pMethods->xFileControl(real(file), what, argument);
  }
  static int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
  static int characteristics(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
  static int shm_map(sqlite3_file* file, int page, int page_size, int extend, void volatile** out) {
    return real(file)->pMethods->xShmMap(real(file), page, page_size, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
  }
  static void shm_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
  static int shm_unmap(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

  static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    static const sqlite3_io_methods methods = make_methods();
    file->pMethods = nullptr;
    const int opened = real_vfs()->xOpen(real_vfs(), path, real(file), flags, out_flags);
    // SQLite closes a file whose methods are set, even when opening it failed.
    if (real(file)->pMethods != nullptr) file->pMethods = &methods;
    return opened;
  }

  static sqlite3_io_methods make_methods() {
    sqlite3_io_methods methods{};
    methods.iVersion = 2;
    methods.xClose = close;
    methods.xRead = read;
    methods.xWrite = write;
    methods.xTruncate = truncate;
    methods.xSync = sync;
    methods.xFileSize = size;
    methods.xLock = lock;
    methods.xUnlock = unlock;
    methods.xCheckReservedLock = check_reserved;
    methods.xFileControl = control;
    methods.xSectorSize = sector_size;
    methods.xDeviceCharacteristics = characteristics;
    methods.xShmMap = shm_map;
    methods.xShmLock = shm_lock;
    methods.xShmBarrier = shm_barrier;
    methods.xShmUnmap = shm_unmap;
    return methods;
  }

  static int register_once() {
    static sqlite3_vfs vfs;
    real_vfs() = sqlite3_vfs_find(nullptr);
    vfs = *real_vfs();
    vfs.zName = name;
    vfs.pNext = nullptr;
    vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs()->szOsFile;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    return sqlite3_vfs_register(&vfs, 0);
  }
};

}  // namespace tapedeck::test
