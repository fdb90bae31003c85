#include "storage/cassette/recording_queue.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <utility>
#include <vector>

namespace tapedeck {

namespace {

// One transaction takes no more, so that the first of a long queue need not wait for the last.
constexpr std::size_t batch_exchanges_max = 512;
// Exchanges of the largest size would fill the memory long before their number does.
constexpr std::size_t queued_bytes_max = 256 * 1024 * 1024;

// So much is worth a transaction of its own, whatever else is to come.
constexpr std::size_t plenty_items = 64;
constexpr std::size_t plenty_bytes = 4 * 1024 * 1024;

// On a core that it shares, a writer would take it from a worker at each push and commit exchanges one by one. A batch
// thread does not take the core when it wakes (sched(7)); it gets it when the workers have nothing ready, or when its
// share is due. Who has chosen another policy for the program has it.
void give_way_to_workers() {
  int policy = SCHED_OTHER;
  sched_param parameters{};
  if (pthread_getschedparam(pthread_self(), &policy, &parameters) != 0 || policy != SCHED_OTHER) return;
  (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
}

struct Item {
  RecordingStep step;
  RecordingQueue::OnCommitted on_committed;
};

std::size_t body_bytes(const RedactedExchange& redacted) {
  const auto& exchange = redacted.exchange();
  return exchange.request.body.bytes.size() + (exchange.response ? exchange.response->body.bytes.size() : 0);
}

std::size_t body_bytes(const RecordingStep& step) {
  if (const auto* whole = std::get_if<RedactedExchange>(&step)) return body_bytes(*whole);
  if (const auto* heads = std::get_if<LongHeads>(&step)) return body_bytes(heads->exchange);
  if (const auto* piece = std::get_if<LongPiece>(&step)) return piece->bytes.bytes().size();
  const auto& end = std::get<LongEnd>(step);
  return end.exchange ? body_bytes(*end.exchange) : 0;
}

// The exchange that is whole with this step, or null.
RedactedExchange* ending_exchange(RecordingStep& step) {
  if (auto* whole = std::get_if<RedactedExchange>(&step)) return whole;
  auto* end = std::get_if<LongEnd>(&step);
  return end != nullptr && end->exchange ? &*end->exchange : nullptr;
}

}  // namespace

// The writer belongs to the thread from start to join; everything else is guarded by the mutex.
struct RecordingQueue::State {
  std::unique_ptr<CassetteWriter> writer;
  std::size_t exchanges_max = 0;
  std::function<void()> after_transaction;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Item> items;
  std::size_t queued_bytes = 0;
  std::uint64_t finished_number = 0;
  LongExchangeId last_long_exchange = 0;
  bool stopping = false;
  std::optional<Failure> failure;

  std::thread thread;

  void run();
  std::vector<Item> take_batch();
  Result<std::vector<std::int64_t>> commit(const std::vector<Item>& batch);
};

// Empty when there is nothing left and nothing will come.
std::vector<Item> RecordingQueue::State::take_batch() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return stopping || !items.empty(); });
  std::vector<Item> batch;
  while (!items.empty() && batch.size() < batch_exchanges_max) {
    queued_bytes -= body_bytes(items.front().step);
    batch.push_back(std::move(items.front()));
    items.pop_front();
  }
  return batch;
}

// After a failure nothing is written any more: what follows could not be told from a whole recording.
Result<std::vector<std::int64_t>> RecordingQueue::State::commit(const std::vector<Item>& batch) {
  {
    const std::lock_guard lock(mutex);
    if (failure) return *failure;
  }
  std::vector<const RecordingStep*> steps;
  for (const auto& item : batch) steps.push_back(&item.step);
  auto appended = writer->append(steps);
  if (appended) return appended;
  const std::lock_guard lock(mutex);
  failure = appended.error();
  return *failure;
}

void RecordingQueue::State::run() {
  while (true) {
    auto batch = take_batch();
    if (batch.empty()) return;
    const auto committed = commit(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (committed)
        batch[i].on_committed((*committed)[i]);
      else
        batch[i].on_committed(committed.error());
    }
    if (after_transaction) after_transaction();
    writer->checkpoint_if_large();
  }
}

RecordingQueue::RecordingQueue(std::unique_ptr<CassetteWriter> writer, std::size_t exchanges_max)
    : state_(std::make_unique<State>()) {
  state_->writer = std::move(writer);
  state_->exchanges_max = exchanges_max;
  state_->thread = std::thread([state = state_.get()] {
    pthread_setname_np(pthread_self(), "cassette");  // for top, and for who measures us thread by thread
    give_way_to_workers();
    state->run();
  });
}

RecordingQueue::~RecordingQueue() {
  (void)stop();
}

Result<void> RecordingQueue::push(RecordingStep step, OnCommitted on_committed, Wake when) {
  bool plenty = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->failure) return *state_->failure;
    if (state_->stopping) return Failure{"recording-stopped", Blame::us, "recording has ended; start it again"};
    const auto bytes = body_bytes(step);
    const bool too_many = state_->items.size() >= state_->exchanges_max;
    const bool too_large = !state_->items.empty() && state_->queued_bytes + bytes > queued_bytes_max;
    if (too_many || too_large) {
      return Failure{"recording-queue-full", Blame::us,
                     "the disk does not keep up with recording; send fewer requests at a time"};
    }
    if (auto* ending = ending_exchange(step)) {
      auto& last = state_->finished_number;
      const auto given = ending->exchange().finished_number;
      last = given != 0 ? std::max(last, given) : last + 1;
      if (given == 0) ending->set_finished_number(last);
    }
    state_->queued_bytes += bytes;
    state_->items.push_back({std::move(step), std::move(on_committed)});
    plenty = state_->queued_bytes >= plenty_bytes || state_->items.size() >= plenty_items;
  }
  if (when == Wake::now || plenty) wake();
  return {};
}

// The thread looks at it only once it has taken something, and so behind a push.
void RecordingQueue::after_each_transaction(std::function<void()> told) {
  state_->after_transaction = std::move(told);
}

void RecordingQueue::wake() {
  state_->changed.notify_one();
}

LongExchangeId RecordingQueue::new_long_exchange() {
  const std::lock_guard lock(state_->mutex);
  return ++state_->last_long_exchange;
}

std::unique_ptr<CassetteWriter> RecordingQueue::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
  return std::move(state_->writer);
}

}  // namespace tapedeck
