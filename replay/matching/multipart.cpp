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

// The line of a part, but for its content; nullopt when its head is malformed.
std::optional<std::string> part_line(std::string_view head_text) {
  const auto head = read_head(head_text);
  if (!head) return std::nullopt;
  const auto parameters = parameters_of(head->disposition.value_or(""));
  if (!parameters) return std::nullopt;
  std::optional<std::string> name;
  std::optional<std::string> filename;
  std::optional<std::string> coded_filename;
  if (!find_once(*parameters, "name", name) || !find_once(*parameters, "filename", filename) ||
      !find_once(*parameters, "filename*", coded_filename)) {
    return std::nullopt;
  }
  std::string line = "part ";
  append_quoted(line, "name", name);
  append_quoted(line, "filename", filename);
  append_quoted(line, "filename*", coded_filename);
  append_quoted(line, "type", head->type);
  return line;
}

// The line end before a delimiter is the delimiter's, not the content's; empty without a usable boundary.
std::string delimiter_of(std::string_view content_type) {
  const auto parameters = parameters_of(content_type);
  std::optional<std::string> boundary;
  if (!parameters || !find_once(*parameters, "boundary", boundary)) return {};
  return boundary && is_boundary(*boundary) ? "\r\n--" + *boundary : std::string();
}

}  // namespace

CanonicalMultipart::CanonicalMultipart(std::string_view content_type)
    : delimiter_(delimiter_of(content_type)), buffer_(line_end) {
  // The first delimiter stands at the very beginning, without its line end.
  if (delimiter_.empty()) state_ = State::malformed;
}

void CanonicalMultipart::add(std::string_view bytes) {
  if (state_ == State::malformed) return;
  buffer_ += bytes;
  while (step()) {
  }
  if (state_ == State::malformed) buffer_.clear();
}

// Whether the buffer may hold more than was taken out of it.
bool CanonicalMultipart::step() {
  switch (state_) {
    case State::preamble:
      return step_preamble();
    case State::behind_delimiter:
      return step_behind_delimiter();
    case State::head:
      return step_head();
    case State::content:
      return step_content();
    case State::epilogue:
      if (!line_end.starts_with(buffer_)) state_ = State::malformed;
      return false;
    case State::malformed:
      break;
  }
  return false;
}

bool CanonicalMultipart::step_preamble() {
  const auto size = std::min(buffer_.size(), delimiter_.size());
  if (buffer_.compare(0, size, delimiter_, 0, size) != 0) {
    state_ = State::malformed;
  } else if (size == delimiter_.size()) {
    buffer_.erase(0, size);
    state_ = State::behind_delimiter;
  }
  return state_ == State::behind_delimiter;
}

bool CanonicalMultipart::step_behind_delimiter() {
  if (buffer_.size() < 2) return false;
  if (buffer_.starts_with("--")) {
    buffer_.erase(0, 2);
    state_ = State::epilogue;
  } else if (buffer_.starts_with(line_end) && parts_ < multipart_parts_max) {
    ++parts_;
    state_ = State::head;
  } else {
    state_ = State::malformed;
  }
  return true;
}

// The buffer begins with the line end behind the delimiter, so that a head without any field ends at once.
bool CanonicalMultipart::step_head() {
  const auto end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > part_head_bytes_max + delimiter_.size()) state_ = State::malformed;
    return false;
  }
  const std::string_view head(buffer_);
  auto line = part_line(end == 0 ? std::string_view() : head.substr(2, end - 2));
  if (!line || head.substr(0, end).find(delimiter_) != std::string_view::npos) {
    state_ = State::malformed;
    return false;
  }
  part_line_ = std::move(*line);
  content_digest_ = Sha256();
  content_bytes_ = 0;
  // A delimiter that takes the line end of the head's last line for its own leaves a part without a whole head.
  buffer_.erase(0, end + 2);
  borrowed_ = 2;
  state_ = State::content;
  return true;
}

bool CanonicalMultipart::step_content() {
  const auto end = buffer_.find(delimiter_);
  if (end == 0 && borrowed_ != 0) {
    state_ = State::malformed;
    return false;
  }
  // What could be the beginning of a delimiter waits.
  const auto known = end != std::string::npos ? end : buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
  if (known > borrowed_) {
    content_digest_.add(std::string_view(buffer_).substr(borrowed_, known - borrowed_));
    content_bytes_ += known - borrowed_;
    buffer_.erase(0, known);
    borrowed_ = 0;
  }
  if (end == std::string::npos) return false;
  buffer_.erase(0, borrowed_ + delimiter_.size());
  borrowed_ = 0;
  text_.append(part_line_).append(digest_text(content_digest_.finish(), content_bytes_)) += '\n';
  state_ = State::behind_delimiter;
  return true;
}

std::optional<std::string> CanonicalMultipart::finish() {
  const bool whole = state_ == State::epilogue && (buffer_.empty() || buffer_ == line_end);
  if (!whole) return std::nullopt;
  return std::move(text_);
}

std::optional<std::string> canonical_multipart(std::string_view content_type, std::string_view body) {
  // By slices, since what has been understood is taken off the front of what came.
  constexpr std::size_t slice_bytes = 64 * 1024;
  CanonicalMultipart multipart(content_type);
  for (std::size_t at = 0; at < body.size(); at += slice_bytes) multipart.add(body.substr(at, slice_bytes));
  return multipart.finish();
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
