#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "config/load_options.hpp"
#include "proxy/modes/exchange_recording.hpp"
#include "proxy/modes/recorded_answers.hpp"
#include "proxy/upstream/upstream_pool.hpp"

namespace tapedeck {

// Why a take may not come into the place of what there is, for --replace; empty: it may. `went_well`: the wrapped
// command did, if there was one.
std::string objection_to(const RunStatistics::Snapshot& take, bool has_old, bool went_well);

// The cassette of one run: recorded into, answered from, or both. Opens it, makes the workers' handlers over it, and
// closes it when they have ended.
class RunCassette {
 public:
  // What outlives it.
  struct Needs {
    const Options& options;
    const Environment& environment;
    const std::vector<Profile>& profiles;
    const Redactor& redactor;
    const MatchKeyMaker& keys;
    RunStatistics& statistics;
    Log& log;
  };
  RunCassette(const Needs& needs, std::size_t workers);
  ~RunCassette();

  // Begins a take where the run records. A cassette that has to be there is Failure `cassette-missing`.
  Result<void> open();
  // For the worker that runs `context`; at most as many as were announced. `pool` is null where nothing is forwarded.
  std::unique_ptr<ExchangeHandler> make_handler(asio::io_context& context, UpstreamPool* pool);

  // Whether a take was begun.
  bool records() const { return queue_ != nullptr; }
  // Null where nothing is answered from the cassette.
  const ReplayLibrary* library() const { return library_.get(); }

  // Ends the take, and puts it in the old cassette's place for --replace. No worker may be left. `went_well`: the
  // wrapped command did, if there was one. Else, or when nothing came from an upstream, the old cassette stays: a
  // failure.
  Result<void> close(bool went_well);
  // In place of close() when the run could not begin: nothing stays of the take, nor of a file that was made for it.
  Result<void> take_back();

 private:
  Result<void> open_for_recording();
  Result<void> open_library(const std::filesystem::path& file);
  void add_to_library(const RedactedExchange& kept, std::int64_t id, std::int64_t take);

  Needs needs_;
  std::size_t workers_;
  std::filesystem::path recording_file_;  // differs from the cassette for --replace until the take is complete
  std::unique_ptr<ReplayLibrary> library_;
  std::vector<std::unique_ptr<CassetteReader>> readers_;  // one for each worker to come
  bool library_was_empty_ = true;
  std::unique_ptr<RecordServices> record_services_;
  std::unique_ptr<RecordingQueue> queue_;  // gone before what its callbacks use
  std::unique_ptr<ReplayServices> replay_services_;
};

}  // namespace tapedeck
