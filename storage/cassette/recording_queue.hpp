#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "storage/cassette/cassette_writer.hpp"

namespace tapedeck {

// The bounded queue between the workers and the one writer thread, which it owns. The writer commits whatever is
// queued in one transaction (group commit); there is no batch timer. Once a commit has failed nothing more is taken:
// every later push fails with the same Failure, so recording stops loudly.
class RecordingQueue {
 public:
  // Called on the writer thread with the exchange's id when it is committed, or with why it never will be.
  using OnCommitted = std::function<void(Result<std::int64_t>)>;

  RecordingQueue(std::unique_ptr<CassetteWriter> writer, std::size_t exchanges_max);
  ~RecordingQueue();

  // Thread-safe, never blocks. A full queue is Failure `recording-queue-full`; then `on_committed` is not called.
  // An exchange that ends with this step and has no finished number is given the next one. With `Wake::later` the
  // caller calls wake() soon: a worker that has more to push first saves commits and changes of thread by it.
  enum class Wake { now, later };
  Result<void> push(RecordingStep step, OnCommitted on_committed, Wake when = Wake::now);
  void wake();
  // `told` is called on the writer thread each time that the callbacks of one transaction have been; to be set before
  // the first push.
  void after_each_transaction(std::function<void()> told);
  // A name for a long exchange of this run. Thread-safe.
  LongExchangeId new_long_exchange();

  // Waits until all that was pushed is committed, stops the thread and gives the writer back for end_take and close.
  std::unique_ptr<CassetteWriter> stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
