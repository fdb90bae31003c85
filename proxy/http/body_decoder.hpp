#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/options.hpp"
#include "proxy/http/head_scan.hpp"

namespace tapedeck {

// The body of one message: bytes in, events out. Sans-I/O. Nothing of the body is copied; only chunk-size lines (as
// numbers) and trailer lines are kept from one call to the next, so the caller's buffer may be of any size.
//
// Chunks are decoded strictly (RFC 9112 §7.1): no white space in a chunk-size line, no bare CR or LF, sizes of at most
// 16 hexadecimal digits, extensions in their grammar and bounded, trailers as strict as heads.
class BodyDecoder {
 public:
  struct Event {
    enum class Kind { need_more, data, end, refused };
    Kind kind = Kind::need_more;
    std::size_t consumed = 0;  // bytes of the input that are done with; all of it with `need_more`
    std::string_view data;     // into the input; valid as long as that is
    HeadRefusal refusal;
  };

  BodyDecoder(MessageFraming framing, const Limits& limits);

  // One event out of `input`, which goes on where the last call's `consumed` ended. To be called again with the rest,
  // even when that is empty, until it answers something else than `data`: the `end` of a body with a length comes by
  // itself after its last byte. After `end`, trailers() is complete and what follows belongs to the next message.
  Event next(std::string_view input);
  // The peer closed: ends an until-close body, refuses the others ("body-cut").
  Event at_eof();
  // Of a chunked body. Fields that frame, route, authenticate or say what the body is are refused (RFC 9110 §6.5.1).
  const Headers& trailers() const { return trailers_; }

 private:
  enum class State {
    counted,  // `left_` bytes of a body with a length
    until_close,
    chunk_size,  // in the digits
    extension,   // in the extensions, see ExtensionState
    size_lf,     // CR of the chunk-size line seen
    chunk_data,  // `left_` bytes of a chunk
    data_cr,
    data_lf,
    trailer_line,
    ended,
    refused,
  };
  enum class ExtensionState { name_start, name, value_start, token_value, quoted, quoted_pair, after_quoted };

  Event take_data(std::string_view input, std::size_t already_consumed);
  const HeadRefusal* step(char byte);
  const HeadRefusal* step_chunk_size(char byte);
  const HeadRefusal* step_extension(char byte);
  const HeadRefusal* end_chunk_size_line();
  const HeadRefusal* end_trailer_line();
  Event refuse(const HeadRefusal& refusal, std::size_t consumed);

  State state_;
  ExtensionState extension_state_ = ExtensionState::name_start;
  std::uint64_t left_ = 0;
  unsigned size_digits_ = 0;
  std::size_t line_bytes_ = 0;          // of this chunk-size line
  std::uint64_t extension_bytes_ = 0;   // of all chunks
  std::uint64_t chunk_data_bytes_ = 0;  // of all chunks
  std::size_t trailer_bytes_ = 0;
  std::size_t chunk_line_bytes_max_;
  std::size_t head_bytes_max_;
  std::size_t fields_max_;
  std::string trailer_line_;
  Headers trailers_;
  HeadRefusal refusal_;
};

// Whether a trailer section may not have a field of this name.
bool is_forbidden_trailer(std::string_view name);

}  // namespace tapedeck
