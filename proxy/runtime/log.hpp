#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tapedeck {

// What the program says on standard error, one line or one JSON object at a time. Thread-safe: a line is one write.
// Control characters are escaped, so that bytes from a client or a cassette cannot drive a terminal.
class Log {
 public:
  enum class Level { verbose, info, warning, error };
  using Sink = std::function<void(std::string_view line)>;

  // `verbosity`: -1 errors and warnings only, 0 normal, 1 verbose (Options::verbosity).
  Log(bool json, int verbosity, Sink sink);
  // To standard error.
  Log(bool json, int verbosity);

  void verbose(std::string_view text) { line(Level::verbose, text); }
  void info(std::string_view text) { line(Level::info, text); }
  void warning(std::string_view text) { line(Level::warning, text); }
  void error(std::string_view text) { line(Level::error, text); }
  // Several lines that belong together (a summary); as JSON it is one object.
  void block(std::string_view text);

 private:
  void line(Level level, std::string_view text);

  bool json_;
  int verbosity_;
  Sink sink_;
};

// As printable() of config/text.hpp does it; line feeds and tabs stay with `keep_line_feeds`.
std::string escape_control_characters(std::string_view text, bool keep_line_feeds);

}  // namespace tapedeck
