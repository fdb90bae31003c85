#include "proxy/http/field_syntax.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace tapedeck {

namespace {

constexpr std::array<bool, 256> token_bytes = [] {
  std::array<bool, 256> table{};
  for (const char c :
       std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

constexpr bool is_token_byte(char c) {
  return token_bytes[static_cast<unsigned char>(c)];
}

constexpr bool is_white(char c) {
  return c == ' ' || c == '\t';
}

constexpr bool is_value_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// Whether one of eight bytes is below 0x20 or is DEL. HTAB answers yes too and is sorted out byte by byte.
bool has_control(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t highs = ones * 0x80;
  const std::uint64_t below_space = (eight - ones * 0x20) & ~eight;
  const std::uint64_t del_as_zero = eight ^ (ones * 0x7f);
  const std::uint64_t is_del = (del_as_zero - ones) & ~del_as_zero;
  return ((below_space | is_del) & highs) != 0;
}

bool eight_value_bytes(const char* at) {
  std::uint64_t eight;
  std::memcpy(&eight, at, sizeof eight);
  return !has_control(eight) || std::all_of(at, at + 8, is_value_byte);
}

// The last eight bytes may overlap those before: looking at a few twice is cheaper than one by one.
bool all_value_bytes(std::string_view text) {
  if (text.size() < 8) return std::all_of(text.begin(), text.end(), is_value_byte);
  const char* const last = text.data() + text.size() - 8;
  for (const char* at = text.data(); at < last; at += 8) {
    if (!eight_value_bytes(at)) return false;
  }
  return eight_value_bytes(last);
}

constexpr HeadRefusal folded_line{400, "folded-line",
                                  "a field line starts with white space; send each field on one line"};
constexpr HeadRefusal space_before_colon{400, "space-before-colon",
                                         "white space stands between a field name and its colon; remove it"};
constexpr HeadRefusal empty_name{400, "empty-field-name", "a field line has no name before its colon; give it one"};
constexpr HeadRefusal bad_name{400, "bad-field-name",
                               "a field name has a character that names may not have; correct it"};
constexpr HeadRefusal no_colon{400, "no-colon", "a field line has no colon; send fields as `name: value`"};
constexpr HeadRefusal bare_cr{400, "bare-cr", "a CR stands alone within a line; end lines with CRLF"};
constexpr HeadRefusal bad_value{400, "control-in-value",
                                "a field value has a control character; remove it or percent-encode it"};

const HeadRefusal* name_fault(std::string_view line, std::size_t at) {
  if (at == line.size()) return &no_colon;
  if (line[at] == '\r') return &bare_cr;
  if (!is_white(line[at])) return &bad_name;
  const auto next = line.find_first_not_of(" \t", at);
  return next != std::string_view::npos && line[next] == ':' ? &space_before_colon : &bad_name;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token_byte(c); });
}

bool is_field_name(std::string_view name) {
  return is_token(name);
}

bool is_target(std::string_view target) {
  return !target.empty() && std::all_of(target.begin(), target.end(), is_target_byte);
}

bool is_field_value(std::string_view value) {
  if (value.empty()) return true;
  return !is_white(value.front()) && !is_white(value.back()) && all_value_bytes(value);
}

const HeadRefusal* parse_field_line(std::string_view line, HeaderView& field) {
  if (!line.empty() && is_white(line.front())) return &folded_line;
  std::size_t name_end = 0;
  while (name_end < line.size() && is_token_byte(line[name_end])) ++name_end;
  if (name_end == line.size() || line[name_end] != ':') return name_fault(line, name_end);
  if (name_end == 0) return &empty_name;

  std::size_t begin = name_end + 1;
  std::size_t end = line.size();
  while (begin < end && is_white(line[begin])) ++begin;
  while (end > begin && is_white(line[end - 1])) --end;
  field.name = line.substr(0, name_end);
  field.value = line.substr(begin, end - begin);
  if (!all_value_bytes(field.value)) {
    return field.value.find('\r') != std::string_view::npos ? &bare_cr : &bad_value;
  }
  return nullptr;
}

}  // namespace tapedeck
