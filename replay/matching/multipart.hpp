#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// How a line of it is told to people. `label` is `"file"`, or empty for a part without a name.
struct PartLine {
  std::string_view label;
  std::string_view rest;  // all behind the label
};
PartLine split_part_line(std::string_view line);

inline constexpr std::size_t multipart_parts_max = 1000;
inline constexpr std::size_t part_head_bytes_max = 16 * 1024;

}  // namespace tapedeck
