#pragma once

#include <atomic>
#include <functional>

#include "config/options.hpp"
#include "proxy/modes/commit_deliveries.hpp"
#include "proxy/modes/exchange_handler.hpp"
#include "proxy/runtime/run_statistics.hpp"
#include "proxy/upstream/upstream_pool.hpp"
#include "storage/cassette/recording_queue.hpp"
#include "storage/redaction/redactor.hpp"

namespace tapedeck {

class Log;

// What recording needs and all workers share.
struct RecordServices {
  const Options& options;
  const Redactor& redactor;
  RecordingQueue& queue;
  RunStatistics& statistics;
  Log& log;
  // Told of each kept exchange, on the worker that recorded it (auto: it answers the next such request).
  std::function<void(const RedactedExchange&, std::int64_t exchange_id)> on_kept;
  // Whether an exchange is kept at all (auto leaves errors out); null: all are.
  std::function<bool(const Exchange&)> is_kept;
  // Order in which the exchanges of the take start; the queue numbers their ends.
  std::atomic<std::uint64_t> next_started_number{1};
  // What the queue's callbacks put in, sent whenever a transaction is over.
  CommitDeliveries deliveries = {};
};

// Forwards each exchange and records it. The end of an answer is held back until the exchange is committed, so that
// what a client saw whole, the cassette has (decision 7).
class RecordHandler final : public ExchangeHandler {
 public:
  RecordHandler(RecordServices& services, UpstreamPool& pool) : services_(services), pool_(pool) {}

  bool answers_at_once() const override { return false; }
  std::shared_ptr<const WireImage> known_answer(std::string_view) override { return nullptr; }
  Choice answer_at_once(const IncomingRequest&) override { return {}; }
  std::uint64_t loads() const override { return 0; }
  awaitable<bool> handle(const IncomingRequest& request, ClientChannel& client) override;
  // The same for a request whose body has been read already.
  awaitable<bool> forward(Request request, const RequestFacts& facts, ClientChannel& client);

 private:
  RecordServices& services_;
  UpstreamPool& pool_;
};

}  // namespace tapedeck
