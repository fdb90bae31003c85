#include "replay/matching/multipart.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "replay/matching/body_digest.hpp"
#include "storage/exchange/headers.hpp"

namespace tapedeck {

namespace {

constexpr std::string_view line_end = "\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// Cuts a value off the front of `text`; nullopt when it is malformed. In quotes only quotes and backslashes are taken
// as escaped: browsers of old send `filename="C:\numbers.csv"`.
std::optional<std::string> take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    const auto value = trimmed(text.substr(0, text.find(';')));
    if (value.find_first_of("\" \t") != std::string_view::npos) return std::nullopt;
    text.remove_prefix(std::min(text.find(';'), text.size()));
    return std::string(value);
  }
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    value += text[i];
  }
  return std::nullopt;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

// What stands behind the first word of a field value, as in `form-data; name="file"` (RFC 9110 §5.6.6).
std::optional<Parameters> parameters_of(std::string_view value) {
  Parameters parameters;
  value.remove_prefix(std::min(value.find(';'), value.size()));
  while (!value.empty()) {
    if (value.front() != ';') return std::nullopt;
    value = trimmed(value.substr(1));
    if (value.empty() || value.front() == ';') continue;
    const auto equals = value.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string name(value.substr(0, equals));
    if (name.find_first_of("; \t\"") != std::string_view::npos) return std::nullopt;
    value.remove_prefix(equals + 1);
    auto parameter = take_value(value);
    if (!parameter) return std::nullopt;
    parameters.emplace_back(std::move(name), std::move(*parameter));
    value = trimmed(value);
  }
  return parameters;
}

// False when the parameter stands there twice.
bool find_once(const Parameters& parameters, std::string_view name, std::optional<std::string>& into) {
  for (const auto& [other, value] : parameters) {
    if (!equal_without_case(other, name)) continue;
    if (into) return false;
    into = value;
  }
  return true;
}

// RFC 2046 §5.1.1
bool is_boundary(std::string_view text) {
  constexpr std::string_view allowed = "'()+_,-./:=? 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

struct PartHead {
  std::optional<std::string> disposition;
  std::optional<std::string> type;
};

// One line of a part's head; false when it is malformed, or a field that counts stands there again.
bool read_field(std::string_view line, PartHead& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto name = line.substr(0, colon);
  if (name.find_first_of(" \t") != std::string_view::npos) return false;
  if (std::any_of(line.begin(), line.end(), is_control)) return false;
  std::optional<std::string>* field = nullptr;
  if (equal_without_case(name, "Content-Disposition")) field = &head.disposition;
  if (equal_without_case(name, "Content-Type")) field = &head.type;
  if (field == nullptr) return true;
  if (*field) return false;
  *field = trimmed(line.substr(colon + 1));
  return true;
}

std::optional<PartHead> read_head(std::string_view text) {
  if (text.size() > part_head_bytes_max) return std::nullopt;
  PartHead head;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find(line_end));
    if (!read_field(line, head)) return std::nullopt;
    text.remove_prefix(std::min(line.size() + line_end.size(), text.size()));
  }
  return head;
}

void append_quoted(std::string& text, std::string_view name, const std::optional<std::string>& value) {
  if (!value) return;
  text.append(name).append("=\"");
  for (const char c : *value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  text += "\" ";
}

// `part` is what stands between two delimiters, from the end of the first one's line on.
bool append_part(std::string& text, std::string_view part) {
  const auto head_end = part.find("\r\n\r\n");
  if (!part.starts_with(line_end) || head_end == std::string_view::npos) return false;
  // Without any field the empty line follows the delimiter's at once.
  const auto head = read_head(head_end == 0 ? std::string_view() : part.substr(2, head_end - 2));
  if (!head) return false;
  const auto parameters = parameters_of(head->disposition.value_or(""));
  if (!parameters) return false;
  std::optional<std::string> name;
  std::optional<std::string> filename;
  std::optional<std::string> coded_filename;
  if (!find_once(*parameters, "name", name) || !find_once(*parameters, "filename", filename) ||
      !find_once(*parameters, "filename*", coded_filename)) {
    return false;
  }
  text += "part ";
  append_quoted(text, "name", name);
  append_quoted(text, "filename", filename);
  append_quoted(text, "filename*", coded_filename);
  append_quoted(text, "type", head->type);
  text.append(digest_and_size(part.substr(head_end + 4))) += '\n';
  return true;
}

}  // namespace

std::optional<std::string> canonical_multipart(std::string_view content_type, std::string_view body) {
  const auto parameters = parameters_of(content_type);
  std::optional<std::string> boundary;
  if (!parameters || !find_once(*parameters, "boundary", boundary)) return std::nullopt;
  if (!boundary || !is_boundary(*boundary)) return std::nullopt;
  // The line end before a delimiter is the delimiter's, not the content's; the first one stands at the very beginning.
  const auto delimiter = "\r\n--" + *boundary;
  if (!body.starts_with(std::string_view(delimiter).substr(2))) return std::nullopt;
  body.remove_prefix(delimiter.size() - 2);
  std::string text;
  for (std::size_t parts = 0; !body.starts_with("--"); ++parts) {
    const auto end = body.find(delimiter);
    if (end == std::string_view::npos || parts == multipart_parts_max) return std::nullopt;
    if (!append_part(text, body.substr(0, end))) return std::nullopt;
    body.remove_prefix(end + delimiter.size());
  }
  if (body != "--" && body != "--\r\n") return std::nullopt;
  return text;
}

PartLine split_part_line(std::string_view line) {
  line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  constexpr std::string_view name = "name=";
  if (!line.starts_with("name=\"")) return {{}, line};
  line.remove_prefix(name.size());
  std::size_t end = 1;
  while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
  end = std::min(end + 1, line.size());
  return {line.substr(0, end), line.substr(std::min(end + 1, line.size()))};
}

}  // namespace tapedeck
