#include "proxy/modes/auto_handler.hpp"

#include "proxy/modes/request_body.hpp"
#include "proxy/runtime/log.hpp"

namespace tapedeck {

bool is_kept_in_auto(const Exchange& exchange, bool keep_errors) {
  if (keep_errors) return true;
  if (exchange.failure || !exchange.response) return false;
  const int status = exchange.response->status;
  return status != 401 && status != 429 && status < 500;
}

AutoHandler::AutoHandler(ReplayServices& replay, RecordServices& record, UpstreamPool& pool, Log& log,
                         bool forwards_misses, std::unique_ptr<TurnReader> reader, std::size_t cache_bytes_max)
    : replay_(replay),
      log_(log),
      forwards_misses_(forwards_misses),
      recorder_(record, pool),
      answers_(replay, std::move(reader), cache_bytes_max) {
}

bool AutoHandler::answers_at_once() const {
  return answers_first() && replay_.options.timing.kind == Timing::Kind::none;
}

Choice AutoHandler::answer_at_once(const IncomingRequest& request) {
  if (!answers_at_once() || !request.intercepted) return {};
  return answers_.answer_at_once(request);
}

// A long body is looked up by the same key as replay would look it up by.
RecordedAnswers::Answer AutoHandler::look_up(const Request& request, const RequestFacts& facts) {
  if (request.body.bytes.size() <= body_memory_bytes_max) return answers_.answer(request, std::nullopt, facts);
  auto long_body = key_of_long_body(request, replay_.redactor);
  if (!long_body) {
    return miss_of(answers_.line_of(request),
                   "the request's body cannot be searched for secrets, so no recording can be found for it");
  }
  auto head = request;
  head.body.bytes.clear();
  return answers_.answer(std::move(head), std::move(long_body), facts);
}

awaitable<bool> AutoHandler::handle(const IncomingRequest& incoming, ClientChannel& client) {
  if (!answers_first() || !incoming.intercepted) co_return co_await recorder_.handle(incoming, client);
  const auto facts = incoming.facts();
  const auto& timing = replay_.options.timing;
  if (const auto* chosen = std::get_if<Image>(&incoming.chosen)) {
    co_return co_await serve_image(**chosen, answers_, timing, log_, facts.close, client);
  }
  auto request = incoming.to_request();
  if (facts.has_body) {
    const auto refusal = co_await read_whole_body(request, facts.expects_continue, client,
                                                  replay_.options.limits.auto_request_bytes_max);
    if (refusal) co_return co_await serve_refusal(*refusal, facts, client);
  }
  const auto* missed = std::get_if<MissReport>(&incoming.chosen);
  const auto answer = missed ? RecordedAnswers::Answer(*missed) : look_up(request, facts);
  if (const auto* image = std::get_if<Image>(&answer)) {
    co_return co_await serve_image(**image, answers_, timing, log_, facts.close, client);
  }
  const auto& report = std::get<MissReport>(answer);
  if (!forwards_misses_) co_return co_await serve_miss(report, replay_, log_, facts, client);
  if (report.is_unreadable) log_.warning(report.request_line + " is asked for upstream: " + report.detail);
  co_return co_await recorder_.forward(std::move(request), facts, client);
}

}  // namespace tapedeck
