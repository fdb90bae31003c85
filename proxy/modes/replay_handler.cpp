#include "proxy/modes/replay_handler.hpp"

#include "proxy/modes/problem.hpp"
#include "proxy/modes/request_body.hpp"
#include "proxy/runtime/log.hpp"

namespace tapedeck {

ReplayHandler::ReplayHandler(ReplayServices& services, Log& log, std::unique_ptr<CassetteReader> reader,
                             std::size_t cache_bytes_max)
    : services_(services), log_(log), answers_(services, std::move(reader), cache_bytes_max) {
}

AtOnce ReplayHandler::answer_at_once(const IncomingRequest& request, std::string& out) {
  if (services_.options.timing.kind != Timing::Kind::none) return AtOnce::no;
  return answers_.answer_at_once(request, out);
}

awaitable<bool> ReplayHandler::handle(const IncomingRequest& incoming, ClientChannel& client) {
  auto request = incoming.to_request();
  const auto facts = incoming.facts();
  std::optional<std::string> remember_as;
  if (!facts.has_body && !facts.close && !facts.http_1_0) remember_as = answers_.memo_key(incoming);
  if (facts.has_body) {
    const auto refusal =
        co_await read_whole_body(request, facts.expects_continue, client, services_.options.limits.body_bytes_max);
    if (refusal) co_return co_await serve_refusal(*refusal, facts, client);
  }
  const auto answer = answers_.answer(std::move(request), facts, remember_as ? &*remember_as : nullptr);
  if (const auto* report = std::get_if<MissReport>(&answer)) {
    co_return co_await serve_miss(*report, services_, log_, facts, client);
  }
  co_return co_await serve_image(*std::get<0>(answer), services_.options.timing, facts.close, client);
}

awaitable<bool> serve_image(const WireImage& image, const Timing& timing, bool close, ClientChannel& client) {
  if (timing.kind != Timing::Kind::none) {
    const double scale = timing.kind == Timing::Kind::scaled ? timing.scale : 1.0;
    asio::steady_timer pace(co_await asio::this_coro::executor);
    pace.expires_after(std::chrono::microseconds(
        static_cast<std::int64_t>(static_cast<double>(std::max<std::int64_t>(image.finished_us, 0)) / scale)));
    co_await pace.async_wait(asio::use_awaitable);
  }
  client.output() += image.bytes;
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
