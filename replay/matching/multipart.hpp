#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/cassette/sha256.hpp"

namespace tapedeck {

// A multipart body (RFC 2046 §5.1, RFC 7578) as matching compares it: the same whatever its boundary, which clients
// draw by lot. One line a part, in order:
//   part name="file" filename="numbers.csv" type="text/csv" sha256 …, 24 bytes
// A part that lacks a name, file name or type lacks that piece; other fields of a part do not count. Equal texts mean
// equal parts. A multipart body within a part is compared byte by byte.
// nullopt for what is not strictly a multipart body: no usable boundary, anything before the first or after the last
// delimiter, lines that end in LF alone, folded or malformed fields, a field that counts twice, or a size beyond
// bounds.
std::optional<std::string> canonical_multipart(std::string_view content_type, std::string_view body);

// The same for a body that comes in pieces of any size, in memory that does not grow with it.
class CanonicalMultipart {
 public:
  explicit CanonicalMultipart(std::string_view content_type);
  void add(std::string_view bytes);
  std::optional<std::string> finish();

 private:
  // Where in the body the next byte stands: before the first delimiter, behind any delimiter, in a part's head, in its
  // content, or behind the last delimiter.
  enum class State { preamble, behind_delimiter, head, content, epilogue, malformed };

  bool step();
  bool step_preamble();
  bool step_behind_delimiter();
  bool step_head();
  bool step_content();

  State state_ = State::preamble;
  std::string delimiter_;
  std::string buffer_;  // what came and is not yet understood
  std::size_t borrowed_ =
      0;  // bytes at the buffer's beginning that belong to the head's end and to a delimiter at most
  std::size_t parts_ = 0;
  std::string part_line_;  // of the part whose content comes
  Sha256 content_digest_;
  std::uint64_t content_bytes_ = 0;
  std::string text_;
};

// How a line of it is told to people. `label` is `"file"`, or empty for a part without a name.
struct PartLine {
  std::string_view label;
  std::string_view rest;  // all behind the label
};
PartLine split_part_line(std::string_view line);

inline constexpr std::size_t multipart_parts_max = 1000;
inline constexpr std::size_t part_head_bytes_max = 16 * 1024;

}  // namespace tapedeck
