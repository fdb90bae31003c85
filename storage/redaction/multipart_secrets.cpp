#include "storage/redaction/multipart_secrets.hpp"

#include <algorithm>

#include "storage/exchange/headers.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t head_bytes_max = 16 * 1024;
constexpr std::size_t boundary_bytes_max = 200;  // RFC 2046 §5.1.1 allows 70
constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(blanks), text.size());
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// `name="value"` or `name=value` among the parameters of a field.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  for (auto at = value.find(';'); at < value.size();) {
    const auto begin = std::min(value.find_first_not_of("; \t", at), value.size());
    const auto equals = value.find_first_of("=;", begin);
    if (equals == std::string_view::npos) break;
    const auto key = trimmed(value.substr(begin, equals - begin));
    const bool quoted = value[equals] == '=' && value.substr(equals + 1, 1) == "\"";
    std::string text;
    auto end = equals + (quoted ? 2 : 1);
    while (value[equals] == '=' && end < value.size() && value[end] != (quoted ? '"' : ';')) {
      if (quoted && value[end] == '\\' && end + 1 < value.size()) ++end;
      text.push_back(value[end++]);
    }
    if (value[equals] == '=' && equal_without_case(key, name)) return quoted ? text : std::string(trimmed(text));
    at = value[equals] == '=' ? value.find(';', std::min(end, value.size())) : equals;
  }
  return std::nullopt;
}

// With the empty line that ends it.
std::optional<std::size_t> head_size(std::string_view text) {
  const auto with_returns = text.find("\r\n\r\n");
  const auto bare = text.find("\n\n");
  if (with_returns == std::string_view::npos && bare == std::string_view::npos) return std::nullopt;
  return with_returns < bare ? with_returns + 4 : bare + 2;
}

// A name and a colon (RFC 5322 §3.6.8). JSON and forms do not begin so.
bool begins_with_field(std::string_view head) {
  const auto name = head.substr(0, head.find(':'));
  const auto in_name = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '{' && c != '=' && c != '<'; };
  return name.size() < head.size() && std::all_of(name.begin(), name.end(), in_name);
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  auto boundary = parameter(content_type, "boundary");
  if (boundary && (boundary->empty() || boundary->size() > boundary_bytes_max)) return std::nullopt;
  return boundary;
}

std::size_t MultipartFinder::find(std::string_view window, bool last, TextEdits& edits) {
  text_ = window;
  std::size_t at = 0;
  for (bool more = true; more;) {
    switch (inside_) {
      case Inside::head:
        more = head(at, last, edits);
        break;
      case Inside::content:
        more = content(at, last, edits);
        break;
      case Inside::secret_content:
        more = secret_content(at, last, edits);
        break;
      case Inside::end_of_parts:
        more = end_of_parts(at);
        break;
    }
  }
  if (last) return text_.size();
  if (at > 0) line_begins_ = text_[at - 1] == '\n';
  return at;
}

// RFC 2046 §5.1.1: a delimiter stands at the beginning of a line. A bare line feed will do: what a server reads so must
// not hide a secret from us. Behind it stand `--`, blanks or the end of the line; else it is the beginning of another
// boundary.
MultipartFinder::Delimiter MultipartFinder::next_delimiter(std::size_t at, bool last) const {
  for (auto found = text_.find(delimiter_, at); found != std::string_view::npos;
       found = text_.find(delimiter_, found + 1)) {
    const bool line_begins = found == 0 ? line_begins_ : text_[found - 1] == '\n';
    const auto behind = text_.substr(found + delimiter_.size(), 2);
    const bool ends = behind.empty() ? last : behind == "--" || blanks.find(behind[0]) != std::string_view::npos;
    if (!line_begins || !ends) continue;
    auto begin = found;
    if (begin > at && text_[begin - 1] == '\n') --begin;
    if (begin > at && text_[begin - 1] == '\r') --begin;
    return {begin, found + delimiter_.size(), true};
  }
  return {};
}

// How much at the end of the window may belong to a delimiter: itself, the line end before it and what stands behind.
std::size_t MultipartFinder::kept(std::size_t at) const {
  return std::min(text_.size() - at, delimiter_.size() + 4);
}

// From behind the delimiter to the empty line. What is no head, or has no end, is looked through as text.
bool MultipartFinder::head(std::size_t& at, bool last, TextEdits& edits) {
  if (text_.size() - at < 2 && !last) return false;
  if (text_.substr(at, 2) == "--") {
    at += 2;
    inside_ = Inside::end_of_parts;
    return true;
  }
  const auto rest = text_.substr(at, head_bytes_max);
  const auto size = head_size(rest);
  if (!size && rest.size() < head_bytes_max && !last) return false;
  const auto fields = trimmed(rest.substr(0, size.value_or(rest.size())));
  const auto begin = static_cast<std::size_t>(fields.data() - text_.data());
  const bool is_head = open_part(fields) || fields.empty() || begins_with_field(fields);
  const bool endless = !size && rest.size() == head_bytes_max;
  if (rule_ == nullptr && (!is_head || endless)) {
    open_text();
    at = begin;
    return true;
  }
  const auto known = edits.size();
  TextFinder(BodyKind::text, scope_).find(fields, true, edits);
  shift(edits, known, begin);
  // A secret may have taken the type with it, and what was redacted must look the same when it is looked through again.
  if (edits.size() > known) part_.emplace(BodyKind::text, scope_);
  at += size.value_or(rest.size());
  return true;
}

// What follows the last part (RFC 2046 §5.1.1, "epilogue") is no part, but it is kept.
bool MultipartFinder::end_of_parts(std::size_t& at) {
  at = std::min(text_.find_first_not_of(blanks, at), text_.size());
  if (at == text_.size()) return false;
  open_text();
  return true;
}

void MultipartFinder::open_text() {
  part_.emplace(BodyKind::text, scope_);
  inside_ = Inside::content;
}

// False when the head says nothing about its part.
bool MultipartFinder::open_part(std::string_view head) {
  std::optional<std::string_view> type;
  std::optional<std::string_view> disposition;
  while (!head.empty()) {
    const auto line_end = std::min(head.find('\n'), head.size() - 1);
    const auto line = head.substr(0, line_end + 1);
    head.remove_prefix(line_end + 1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto field = trimmed(line.substr(0, colon));
    const auto value = trimmed(line.substr(colon + 1));
    if (equal_without_case(field, "content-type")) type = value;
    if (equal_without_case(field, "content-disposition")) disposition = value;
  }
  const auto name = disposition ? parameter(*disposition, "name") : std::nullopt;
  rule_ = name ? scope_.find(SecretPlace::form, KeyText::of_percent_coded(*name)) : nullptr;
  if (rule_ != nullptr && rule_->effect != SecretEffect::replace) rule_ = nullptr;
  inside_ = rule_ != nullptr ? Inside::secret_content : Inside::content;
  auto kind = kind_of(type.value_or(""));
  // A multipart within a part is looked through as text.
  if (kind == BodyKind::multipart || kind == BodyKind::event_stream) kind = BodyKind::text;
  part_.emplace(kind, scope_);
  passing_ = false;
  return type || disposition;
}

bool MultipartFinder::content(std::size_t& at, bool last, TextEdits& edits) {
  const auto delimiter = next_delimiter(at, last);
  const bool ended = delimiter.found || last;
  const auto end = delimiter.found ? delimiter.begin : last ? text_.size() : text_.size() - kept(at);
  const auto known = edits.size();
  const auto settled = part_->find(text_.substr(at, end - at), ended, edits);
  shift(edits, known, at);
  at = ended ? end : at + settled;
  if (!delimiter.found) return false;
  at = delimiter.end;
  inside_ = Inside::head;
  return true;
}

bool MultipartFinder::secret_content(std::size_t& at, bool last, TextEdits& edits) {
  const auto delimiter = next_delimiter(at, last);
  const auto end = delimiter.found ? delimiter.begin : last ? text_.size() : text_.size() - kept(at);
  const bool ended = delimiter.found || last;
  if (passing_) {
    if (end > at) edits.push_back({at, end, rule_, Written::nothing});
    at = end;
  } else if (ended) {
    add_edit(edits, scope_, *rule_, text_.substr(at, end - at), at, end);
    at = end;
  } else if (end - at > held_bytes_max) {
    edits.push_back({at, end, rule_, Written::plain});
    passing_ = true;
    at = end;
  }
  if (!delimiter.found) return false;
  at = delimiter.end;
  inside_ = Inside::head;
  return true;
}

}  // namespace tapedeck
