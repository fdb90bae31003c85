#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "config/result.hpp"
#include "storage/cassette/environment.hpp"
#include "storage/cassette/recording_step.hpp"

namespace tapedeck {

enum class TakeKind { replace, extend };  // record, auto
enum class TakeState { open, complete, interrupted };

struct WriterOptions {
  bool durable = false;      // synchronous=FULL instead of NORMAL
  bool create_only = false;  // refuse an existing file (--new)
  std::chrono::milliseconds lock_wait_ms{5000};
  std::string rules_snapshot;  // JSON text of the rules in force, kept with the take
  CassetteEnvironment environment;
};

// The one that writes a cassette: holds its lock file, migrates older formats, and marks takes that a crash left open
// as interrupted (their open exchanges as cut). Belongs to one thread at a time. Destroyed without close(), the
// cassette is as a crash leaves it: everything committed is there.
class CassetteWriter {
 public:
  // Failures: cassette-foreign, cassette-newer, cassette-corrupt, cassette-exists, cassette-busy (names the pid),
  // cassette-unwritable. The file is never changed when it fails.
  static Result<std::unique_ptr<CassetteWriter>> open(const std::filesystem::path& file, const WriterOptions& options);
  ~CassetteWriter();

  bool created() const;  // the file was made by this open

  Result<std::int64_t> begin_take(TakeKind kind);  // its ordinal, from 1
  // One transaction for all of them: either every one is kept or none. Sets nothing aside on failure (a full disk is
  // Failure `cassette-write-failed` with the system's reason); long exchanges that had begun are then over. Returns for
  // each step the id of its exchange; new ones are numbered on from the last.
  Result<std::vector<std::int64_t>> append(const std::vector<const RecordingStep*>& steps);
  // Moves what was committed from the -wal into the file when the -wal has grown large. Apart from append, so that
  // nobody waits for it who waits for a commit. That it fails loses nothing; close() will say so.
  void checkpoint_if_large();
  Result<void> end_take(TakeState state);
  // A clean stop: checkpoint, journal_mode=DELETE, full sync, lock let go. No -wal or -shm stays.
  Result<void> close();

 private:
  struct State;
  explicit CassetteWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Puts the cassette `finished`, which a writer has closed, in the place of `target` (--replace). Until it returns,
// `target` is as it was. Failures: cassette-busy, cassette-unwritable, and those of opening `target` to write when a
// run that was killed has left recordings beside it.
Result<void> replace_cassette(const std::filesystem::path& finished, const std::filesystem::path& target,
                              std::chrono::milliseconds lock_wait_ms);

}  // namespace tapedeck
