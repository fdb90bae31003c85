#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "config/options.hpp"
#include "proxy/http/head_scan.hpp"

namespace tapedeck {

// The body of one message: bytes in, events out. Sans-I/O. A subclass of Beast's basic_parser does the chunk coding,
// behind checks of our own for the shapes that it lets pass.
class BodyReader {
 public:
  struct Event {
    enum class Kind { need_more, data, end, refused };
    Kind kind = Kind::need_more;
    std::size_t consumed = 0;  // bytes of the input that are done with
    std::string_view data;     // into the input; valid as long as that is
    HeadRefusal refusal;
  };

  BodyReader(MessageFraming framing, const Limits& limits);
  ~BodyReader();

  // One event out of `input`. After `end`, trailers() is complete. With framing none the first event is `end`.
  Event next(std::string_view input);
  // The peer closed: ends an until-close body, refuses the others ("body-cut").
  Event at_eof();
  const Headers& trailers() const;  // framing fields and other forbidden ones refused (RFC 9110 §6.5.1)

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck
