#include "proxy/modes/replay_handler.hpp"

#include "proxy/modes/problem.hpp"
#include "proxy/modes/request_body.hpp"
#include "proxy/runtime/log.hpp"

namespace tapedeck {

ReplayHandler::ReplayHandler(ReplayServices& services, Log& log, std::unique_ptr<TurnReader> reader,
                             std::size_t cache_bytes_max)
    : services_(services), log_(log), answers_(services, std::move(reader), cache_bytes_max) {
}

// Pace is a matter of waiting.
bool ReplayHandler::answers_at_once() const {
  return services_.options.timing.kind == Timing::Kind::none;
}

Choice ReplayHandler::answer_at_once(const IncomingRequest& request) {
  return answers_at_once() ? answers_.answer_at_once(request) : Choice();
}

awaitable<bool> ReplayHandler::handle(const IncomingRequest& incoming, ClientChannel& client) {
  const auto facts = incoming.facts();
  const auto& timing = services_.options.timing;
  if (const auto* chosen = std::get_if<Image>(&incoming.chosen)) {
    co_return co_await serve_image(**chosen, answers_, timing, log_, facts.close, client);
  }
  if (const auto* report = std::get_if<MissReport>(&incoming.chosen)) {
    co_return co_await serve_miss(*report, services_, log_, facts, client);
  }
  auto request = incoming.to_request();
  std::optional<BodyKey> long_body;
  if (facts.has_body) {
    auto read = co_await read_body_for_matching(request, facts.expects_continue, client, services_.redactor);
    if (read.refusal) co_return co_await serve_refusal(*read.refusal, facts, client);
    long_body = std::move(read.long_body);
  }
  const auto answer = answers_.answer(std::move(request), std::move(long_body), facts);
  if (const auto* report = std::get_if<MissReport>(&answer)) {
    co_return co_await serve_miss(*report, services_, log_, facts, client);
  }
  const auto image = std::get<Image>(answer);
  co_return co_await serve_image(*image, answers_, timing, log_, facts.close, client);
}

namespace {

// No recorded wait is longer; a cassette may say anything.
constexpr std::chrono::microseconds recorded_wait_max = std::chrono::hours(1);
constexpr std::chrono::microseconds wait_slice = std::chrono::milliseconds(100);

// By slices, so that a program that stops need not wait for it.
awaitable<void> wait_as_recorded(const WireImage& image, const Timing& timing, const ClientChannel& client) {
  const double scale = timing.kind == Timing::Kind::scaled ? timing.scale : 1.0;
  const double wanted_us = static_cast<double>(std::max<std::int64_t>(image.finished_us, 0)) / scale;
  const auto max_us = static_cast<double>(recorded_wait_max.count());
  auto left = std::chrono::microseconds(static_cast<std::int64_t>(std::min(wanted_us, max_us)));
  const auto executor = co_await asio::this_coro::executor;
  SteadyTimer pace(executor);
  while (left.count() > 0 && !client.is_cut()) {
    const auto slice = std::min(left, wait_slice);
    pace.expires_after(slice);
    co_await pace.async_wait(use_awaitable);
    left -= slice;
  }
}

// Piece by piece, each sent before the next is read: a slow client costs no memory.
awaitable<bool> serve_long_body(const WireImage& image, RecordedAnswers& answers, Log& log, ClientChannel& client) {
  std::string piece;
  for (std::uint64_t n = 0;; ++n) {
    if (const auto loaded = answers.load_piece(image.long_body, n, piece); !loaded) {
      log.error("an answer was cut off: " + loaded.error().detail);
      co_return false;
    }
    if (piece.empty()) co_return true;
    auto& output = client.output();
    if (image.chunked) output += chunk_head(piece.size());
    output += piece;
    if (image.chunked) output += "\r\n";
    const bool flushed = co_await client.flush();
    if (!flushed) co_return false;
  }
}

}  // namespace

awaitable<bool> serve_image(const WireImage& image, RecordedAnswers& answers, const Timing& timing, Log& log,
                            bool close, ClientChannel& client) {
  if (timing.kind != Timing::Kind::none) co_await wait_as_recorded(image, timing, client);
  client.output() += image.bytes;
  if (image.is_long()) {
    const bool sent = co_await serve_long_body(image, answers, log, client);
    if (!sent) co_return false;
    client.output() += image.bytes_after;
  }
  const bool flushed = co_await client.flush();
  co_return flushed && !image.close_after && !close;
}

awaitable<bool> serve_miss(const MissReport& report, ReplayServices& services, Log& log, const RequestFacts& facts,
                           ClientChannel& client) {
  services.statistics.note_miss(report);
  log.warning("miss (" + std::string(miss_reason_text(report.reason)) + "): " + report.request_line + ": " +
              report.detail);
  client.output() +=
      served_bytes(miss_response(report, services.options.miss_status), facts.served_context(), facts.origin);
  const bool flushed = co_await client.flush();
  co_return flushed && !facts.close;
}

awaitable<bool> serve_refusal(const HeadRefusal& refusal, const RequestFacts& facts, ClientChannel& client) {
  if (refusal.code == "client-left") co_return false;
  auto context = facts.served_context();
  context.close = true;
  const auto response = problem_response(
      {refusal.status, std::string(refusal.code), "The request was refused", std::string(refusal.detail)});
  client.output() += served_bytes(response, context, facts.origin);
  co_await client.flush();
  co_return false;
}

}  // namespace tapedeck
