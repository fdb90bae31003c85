#pragma once

#include "proxy/modes/record_handler.hpp"
#include "proxy/modes/replay_handler.hpp"

namespace tapedeck {

// What auto keeps: all but answers that say nothing lasting (401, 429, 5xx) and network failures, unless --keep-errors.
bool is_kept_in_auto(const Exchange& exchange, bool keep_errors);

// Answers what is recorded, forwards and records what is not. Which of the two, --record decides: `new` answers first,
// `all` always forwards, `once` forwards only while the cassette was empty at the start.
class AutoHandler final : public ExchangeHandler {
 public:
  AutoHandler(ReplayServices& replay, RecordServices& record, UpstreamPool& pool, Log& log, bool forwards_misses,
              std::unique_ptr<TurnReader> reader, std::size_t cache_bytes_max);

  bool answers_at_once() const override;
  std::shared_ptr<const WireImage> known_answer(std::string_view identity) override {
    return answers_.known_answer(identity);
  }
  Choice answer_at_once(const IncomingRequest& request) override;
  std::uint64_t loads() const override { return answers_.loads(); }
  awaitable<bool> handle(const IncomingRequest& request, ClientChannel& client) override;

 private:
  RecordedAnswers::Answer look_up(const Request& request, const RequestFacts& facts);
  bool answers_first() const { return replay_.options.record_policy != RecordPolicy::all; }

  ReplayServices& replay_;
  Log& log_;
  bool forwards_misses_;
  RecordHandler recorder_;
  RecordedAnswers answers_;
};

}  // namespace tapedeck
