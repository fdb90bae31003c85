#include <algorithm>

#include <nlohmann/json.hpp>

#include "proxy/cli/exchange_text.hpp"

namespace tapedeck {

namespace {

std::size_t next_token(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

// Depth indents no further than this, so that deep nesting cannot make the output quadratic.
constexpr std::size_t indent_max = 80;

void append_line_break(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(std::min(2 * depth, indent_max), ' ');
}

// The end of the string that begins at `at`, its closing quote included.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

// A JSON library would round numbers, unescape strings and forget doubled members, and it is the recording that is to
// be seen. So the tokens stay and only the white space between them is new.
std::string laid_out_json(std::string_view json) {
  if (!nlohmann::json::accept(json)) return std::string(json);
  std::string out;
  std::size_t depth = 0;
  for (std::size_t at = next_token(json, 0); at < json.size(); at = next_token(json, at)) {
    const char c = json[at];
    if (c == '"') {
      const std::size_t end = end_of_string(json, at);
      out += json.substr(at, end - at);
      at = end;
      continue;
    }
    ++at;
    if (c == '}' || c == ']') append_line_break(out, --depth);
    out += c;
    if (c == ':') out += ' ';
    if (c == ',') append_line_break(out, depth);
    if (c != '{' && c != '[') continue;
    const std::size_t next = next_token(json, at);
    if (json[next] == '}' || json[next] == ']') {
      out += json[next];
      at = next + 1;
    } else {
      append_line_break(out, ++depth);
    }
  }
  return out;
}

}  // namespace tapedeck
