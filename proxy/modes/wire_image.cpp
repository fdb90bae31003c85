#include "proxy/modes/wire_image.hpp"

#include <utility>

#include "proxy/modes/problem.hpp"
#include "replay/serving/rewriting.hpp"

namespace tapedeck {

namespace {

// A chunk's head and the last chunk without trailers.
constexpr std::size_t chunk_framing_bytes = 32;

// The body of a response as it was framed on its way to the recording client.
void append_body(std::string& bytes, const Response& response, BodyFraming framing, bool whole) {
  const auto& body = response.body;
  if (framing == BodyFraming::none) return;
  if (framing != BodyFraming::chunked) {
    bytes += body.bytes;
    return;
  }
  if (!body.bytes.empty()) bytes.append(chunk_head(body.bytes.size())).append(body.bytes).append("\r\n");
  if (whole) bytes += last_chunk(response.trailers, body.form);
}

void append_mark(Response& response, const StoredExchange& stored) {
  response.headers.add("Tapedeck-Exchange", std::to_string(stored.id));
  response.headers.add("Tapedeck-Recorded-At", rfc3339(stored.exchange.started_at_us));
}

}  // namespace

WireImage make_wire_image(StoredExchange&& stored, const ServedContext& context, const std::vector<Profile>& profiles,
                          bool mark) {
  auto& exchange = stored.exchange;
  WireImage image;
  image.first_byte_us = exchange.first_byte_us;
  image.finished_us = exchange.finished_us;
  if (!exchange.response) {
    const auto failure = exchange.failure.value_or(NetworkFailure{});
    image.bytes =
        served_bytes(problem_response(problem_of(failure, exchange.request.origin)), context, exchange.request.origin);
    return image;
  }
  auto& response = *exchange.response;
  const bool body_stays = stored.response_body_stays();  // Rewriting may change the size of one that does not.
  rewrite_response(response, exchange.request, profiles);
  if (mark) append_mark(response, stored);
  for (const auto& interim : response.interim) {
    if (interim.status != 100 && !context.http_1_0) image.bytes += served_interim_head(interim);
  }
  const bool whole = exchange.state == ExchangeState::whole;
  image.bytes.reserve(image.bytes.size() + served_head_bytes(response) + response.body.bytes.size() +
                      chunk_framing_bytes);
  // A cut body keeps the length that its upstream had announced.
  std::optional<std::uint64_t> length;
  if (whole) length = body_stays ? stored.response_body.size : response.body.bytes.size();
  image.bytes = served_head(response, context, exchange.request.origin, length, std::move(image.bytes));
  const auto framing = served_framing(response, context);
  if (body_stays && framing != BodyFraming::none) {
    image.long_body = stored.response_body;
    image.chunked = framing == BodyFraming::chunked;
    if (image.chunked && whole) image.bytes_after = last_chunk(response.trailers, response.body.form);
  } else {
    append_body(image.bytes, response, framing, whole);
  }
  // Behind an answer that came before the request was whole the connection has no use any more.
  image.close_after = !whole || exchange.failure || framing == BodyFraming::until_close;
  return image;
}

std::shared_ptr<const WireImage> WireImageCache::find(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  found->second->image->served_lately = true;
  return found->second->image;
}

bool WireImageCache::put(std::string_view key, std::shared_ptr<const WireImage> image) {
  if (by_key_.contains(key)) return true;
  if (!put_lately_.comes_again(key)) return false;
  const auto cost = [](const Entry& entry) { return entry.key.size() + entry.image->bytes.capacity() + 256; };
  Entry entry{std::string(key), std::move(image)};
  if (cost(entry) > bytes_max_ / 8) return false;
  bytes_ += cost(entry);
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front().key, entries_.begin());
  while (bytes_ > bytes_max_) {
    if (std::exchange(entries_.back().image->served_lately, false)) {
      entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
      continue;
    }
    bytes_ -= cost(entries_.back());
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return by_key_.contains(key);
}

}  // namespace tapedeck
