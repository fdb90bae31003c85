#include "proxy/cli/columns.hpp"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tapedeck {

namespace {

bool begins_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

}  // namespace

std::string cut_to(std::string_view line, std::size_t columns) {
  if (columns == 0 || width_of(line) <= columns) return std::string(line);
  std::size_t end = 0;
  for (std::size_t width = 0; end < line.size(); ++end) {
    if (begins_code_point(line[end]) && ++width == columns) break;
  }
  return std::string(line.substr(0, end)) + "…";
}

std::string in_columns(std::string_view text, std::size_t columns, Align align) {
  const std::string cut = cut_to(text, columns);
  const std::string padding(columns - std::min(columns, width_of(cut)), ' ');
  return align == Align::left ? cut + padding : padding + cut;
}

std::size_t terminal_columns(int descriptor) {
  winsize size{};
  if (::isatty(descriptor) == 0 || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace tapedeck
