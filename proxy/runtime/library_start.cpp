#include "proxy/runtime/library_start.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <unistd.h>

namespace tapedeck {

namespace {

// What is done sooner is not worth a word.
constexpr std::chrono::milliseconds told_after_ms{500};

// One line that is written over and over, and cleared at the end.
class ProgressLine {
 public:
  ProgressLine(const Options& options, Log& log)
      : log_(log), is_shown_(!options.log_json && options.verbosity >= 0 && ::isatty(STDERR_FILENO) != 0) {}
  ~ProgressLine() {
    if (!shown_.empty()) write("\r\x1b[K");
    if (!is_shown_ && is_slow()) log_.info("indexed " + std::to_string(total_) + " exchanges in " + seconds() + " s");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(std::uint64_t done, std::uint64_t total) {
    if (total_ == 0) begin_ = Clock::now();
    total_ = total;
    if (!is_shown_ || !is_slow()) return;
    auto bar = progress_bar(done, total);
    if (bar == shown_) return;
    shown_ = std::move(bar);
    write("\r" + shown_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool is_slow() const { return total_ != 0 && Clock::now() - begin_ > told_after_ms; }
  std::string seconds() const {
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count() / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  }
  static void write(const std::string& text) {
    // It only shows that something is going on, so what a terminal does not take is left.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  }

  Log& log_;
  bool is_shown_;
  std::string shown_;
  std::uint64_t total_ = 0;
  Clock::time_point begin_{};
};

}  // namespace

Result<std::unique_ptr<ReplayLibrary>> start_library(CassetteReader& reader, const MatchKeyMaker& keys,
                                                     const Options& options, const Environment& environment, Log& log) {
  ProgressLine line(options, log);
  IndexSettings settings;
  settings.folder = default_cache_dir(environment);
  settings.on_progress = [&line](std::uint64_t done, std::uint64_t total) { line.update(done, total); };
  settings.on_note = [&log](const std::string& text) { log.verbose(text); };
  settings.on_damage = [&log](const std::string& text) { log.warning(text); };
  return ReplayLibrary::open(reader, keys, options.sequence, settings);
}

std::string progress_bar(std::uint64_t done, std::uint64_t total) {
  constexpr std::uint64_t width = 30;
  const auto share = [&](std::uint64_t of) { return total == 0 ? of : std::min(done, total) * of / total; };
  std::string bar(static_cast<std::size_t>(share(width)), '=');
  if (bar.size() < width) bar += '>';
  bar.resize(width, ' ');
  std::string percent = std::to_string(share(100));
  percent.insert(0, 3 - percent.size(), ' ');
  return "  [" + bar + "] " + percent + " % of " + std::to_string(total) + " exchanges indexed";
}

}  // namespace tapedeck
