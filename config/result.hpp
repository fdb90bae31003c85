#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace tapedeck {

// Who is at fault for a failure. It decides what the client is told: client 4xx, upstream 502 or 504, cassette a miss
// or a refusal to start, us 500.
enum class Blame { client, upstream, cassette, us };

// An expected failure. `code` is a stable kebab-case word for programs ("cassette-newer"); `detail` is one line for
// people that names the thing and the mend. Neither may hold a secret.
struct Failure {
  Failure() = default;
  // With a constructor a text alone makes no Failure, so that a Result<std::string> can be returned as a plain text.
  Failure(std::string code_word, Blame at_fault, std::string detail_line)
      : code(std::move(code_word)), blame(at_fault), detail(std::move(detail_line)) {}

  std::string code;
  Blame blame = Blame::us;
  std::string detail;
};

[[noreturn]] inline void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw std::logic_error("value() of a failed Result: " + failure.code + ": " + failure.detail);
}

template <class T>
using Result = boost::system::result<T, Failure>;

}  // namespace tapedeck
