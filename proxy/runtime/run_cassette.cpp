#include "proxy/runtime/run_cassette.hpp"

#include <unistd.h>

#include "proxy/modes/auto_handler.hpp"
#include "proxy/modes/record_handler.hpp"
#include "proxy/modes/replay_handler.hpp"
#include "proxy/runtime/library_start.hpp"
#include "proxy/runtime/log.hpp"

namespace tapedeck {

namespace {

// The wrapped command's name; its arguments may hold secrets.
std::string command_text(const std::vector<std::string>& command) {
  if (command.empty()) return " -- COMMAND";
  return " -- " + command.front() + (command.size() > 1 ? " …" : "");
}

std::string absolute_text(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

// Beside the cassette, where a rename puts it into its place. What an earlier run left there is not ours to touch.
std::filesystem::path place_beside(const std::filesystem::path& cassette) {
  const std::string name = cassette.string() + ".new-" + std::to_string(::getpid());
  std::filesystem::path place = name;
  for (int n = 2; std::filesystem::exists(place); ++n) place = name + "-" + std::to_string(n);
  return place;
}

}  // namespace

std::string objection_to(const RunStatistics::Snapshot& take, bool has_old, bool went_well) {
  if (!take.recording_failure.empty()) return "not every exchange could be kept";
  if (!has_old) return "";
  if (take.recorded == 0) return "nothing was recorded";
  if (take.recorded == take.network_failures) return "every exchange was a network failure";
  return went_well ? "" : "the command failed";
}

RunCassette::RunCassette(const Needs& needs, std::size_t workers) : needs_(needs), workers_(workers) {
}
RunCassette::~RunCassette() = default;

Result<void> RunCassette::open() {
  const auto& options = needs_.options;
  if (options.mode != Mode::replay && options.recording_allowed) return open_for_recording();
  if (std::filesystem::exists(options.cassette)) return open_library(options.cassette);
  return Failure{"cassette-missing", Blame::us,
                 "there is no cassette " + absolute_text(options.cassette) + "; make it with `tapedeck record -c " +
                     options.cassette.string() + command_text(options.command) + "`"};
}

Result<void> RunCassette::open_for_recording() {
  const auto& options = needs_.options;
  recording_file_ = options.cassette;
  const bool replaces = options.take_disposition == TakeDisposition::replace_file;
  if (replaces) recording_file_ = place_beside(options.cassette);
  WriterOptions writer_options;
  writer_options.durable = options.durable;
  writer_options.create_only = options.take_disposition != TakeDisposition::one_more;
  writer_options.lock_wait_ms = options.limits.writer_lock_wait_ms;
  auto writer = CassetteWriter::open(recording_file_, writer_options);
  if (!writer) return writer.error();
  const bool created = (*writer)->created();
  auto take = (*writer)->begin_take(options.mode == Mode::record ? TakeKind::replace : TakeKind::extend);
  if (!take) return take.error();
  std::string what = created ? "created " : "adding take " + std::to_string(*take) + " to ";
  if (replaces && std::filesystem::exists(options.cassette)) what = "recording what is to replace ";
  needs_.log.info(what + absolute_text(options.cassette));
  queue_ = std::make_unique<RecordingQueue>(std::move(*writer), options.limits.queue_exchanges_max);
  record_services_.reset(
      new RecordServices{options, needs_.redactor, *queue_, needs_.statistics, needs_.log, {}, {}, {1}});
  queue_->after_each_transaction([this] { record_services_->deliveries.deliver(); });
  if (options.mode != Mode::auto_) return {};

  if (auto opened = open_library(recording_file_); !opened) return opened;
  record_services_->is_kept = [&options](const Exchange& exchange) {
    return is_kept_in_auto(exchange, options.keep_errors);
  };
  record_services_->on_kept = [this, take = *take](const RedactedExchange& kept, std::int64_t id) {
    add_to_library(kept, id, take);
  };
  return {};
}

void RunCassette::add_to_library(const RedactedExchange& kept, std::int64_t id, std::int64_t take) {
  StoredExchange stored;
  stored.id = id;
  stored.take_ordinal = take;
  stored.exchange = kept.exchange();
  library_->add(needs_.keys.make(stored.exchange.request), stored);
}

Result<void> RunCassette::open_library(const std::filesystem::path& file) {
  const auto& options = needs_.options;
  for (std::size_t i = 0; i < workers_; ++i) {
    auto reader = CassetteReader::open(file);
    if (!reader) return reader.error();
    readers_.push_back(std::move(*reader));
  }
  auto library = start_library(*readers_.front(), needs_.keys, options, needs_.environment, needs_.log);
  if (!library) return library.error();
  library_ = std::move(*library);
  library_was_empty_ = library_->exchange_count() == 0;
  replay_services_.reset(
      new ReplayServices{options, needs_.redactor, needs_.keys, needs_.profiles, *library_, needs_.statistics});
  return {};
}

std::unique_ptr<ExchangeHandler> RunCassette::make_handler(asio::io_context& context, UpstreamPool* pool) {
  const auto& options = needs_.options;
  if (options.mode == Mode::record) return std::make_unique<RecordHandler>(*record_services_, *pool);
  auto reader = std::make_unique<TurnReader>(context.get_executor(), std::move(readers_.back()));
  readers_.pop_back();
  const auto cache_bytes = options.limits.cache_bytes_max / workers_;
  if (!records()) return std::make_unique<ReplayHandler>(*replay_services_, needs_.log, std::move(reader), cache_bytes);
  const bool forwards_misses = options.record_policy != RecordPolicy::once || library_was_empty_;
  return std::make_unique<AutoHandler>(*replay_services_, *record_services_, *pool, needs_.log, forwards_misses,
                                       std::move(reader), cache_bytes);
}

Result<void> RunCassette::close(bool went_well) {
  if (!queue_) return {};
  const auto& options = needs_.options;
  auto writer = queue_->stop();
  const auto statistics = needs_.statistics.snapshot();
  // A run that failed to keep something leaves its take interrupted: it must not win over whole ones.
  const bool complete = statistics.recording_failure.empty();
  if (auto ended = writer->end_take(complete ? TakeState::complete : TakeState::interrupted); !ended) return ended;
  if (auto closed = writer->close(); !closed) return closed;
  if (recording_file_ == options.cassette) return {};
  const bool has_old = std::filesystem::exists(options.cassette);
  const auto objection = objection_to(statistics, has_old, went_well);
  if (objection.empty()) {
    auto replaced = replace_cassette(recording_file_, options.cassette, options.limits.writer_lock_wait_ms);
    if (replaced) return replaced;
    return Failure{replaced.error().code, Blame::us,
                   replaced.error().detail + "; the new take is " + absolute_text(recording_file_)};
  }
  std::string detail = objection + (has_old ? "; the old cassette stays" : "");
  if (complete && statistics.recorded == 0) {
    std::error_code ignored;
    std::filesystem::remove(recording_file_, ignored);
  } else {
    detail += "; the new take is " + absolute_text(recording_file_);
  }
  return Failure{"replace-incomplete", Blame::us, detail};
}

Result<void> RunCassette::take_back() {
  if (!queue_) return {};
  auto writer = queue_->stop();
  const bool made_file = writer->created();
  if (auto ended = writer->end_take(TakeState::interrupted); !ended) return ended;
  if (auto closed = writer->close(); !closed) return closed;
  if (made_file) {
    std::error_code ignored;
    std::filesystem::remove(recording_file_, ignored);
    return {};
  }
  const auto dropped = drop_last_take(recording_file_, needs_.options.limits.writer_lock_wait_ms);
  if (!dropped) return dropped.error();
  return {};
}

}  // namespace tapedeck
