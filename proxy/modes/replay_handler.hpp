#pragma once

#include "proxy/modes/recorded_answers.hpp"

namespace tapedeck {

class Log;

// Answers from the cassette alone. Nothing in here can dial.
class ReplayHandler final : public ExchangeHandler {
 public:
  ReplayHandler(ReplayServices& services, Log& log, std::unique_ptr<TurnReader> reader, std::size_t cache_bytes_max);

  bool answers_at_once() const override;
  std::shared_ptr<const WireImage> known_answer(std::string_view identity) override {
    return answers_.known_answer(identity);
  }
  Choice answer_at_once(const IncomingRequest& request) override;
  std::uint64_t loads() const override { return answers_.loads(); }
  awaitable<bool> handle(const IncomingRequest& request, ClientChannel& client) override;

 private:
  ReplayServices& services_;
  Log& log_;
  RecordedAnswers answers_;
};

// Sends an image, and the body that it leaves in the cassette, at the pace that --timing asks for. Returns whether the
// connection may serve another request.
awaitable<bool> serve_image(const WireImage& image, RecordedAnswers& answers, const Timing& timing, Log& log,
                            bool close, ClientChannel& client);
// Sends a miss report and counts it.
awaitable<bool> serve_miss(const MissReport& report, ReplayServices& services, Log& log, const RequestFacts& facts,
                           ClientChannel& client);
// Sends the refusal of a request's body and ends the connection.
awaitable<bool> serve_refusal(const HeadRefusal& refusal, const RequestFacts& facts, ClientChannel& client);

}  // namespace tapedeck
