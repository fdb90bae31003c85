#include "storage/redaction/multipart_secrets.hpp"

#include <algorithm>

#include "storage/exchange/headers.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t head_bytes_max = 16 * 1024;
constexpr std::size_t boundary_bytes_max = 200;  // RFC 2046 §5.1.1 allows 70

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
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
      case Inside::preamble:
        more = preamble(at);
        break;
      case Inside::head:
        more = head(at, last);
        break;
      case Inside::content:
        more = content(at, last, edits);
        break;
      case Inside::secret_content:
        more = secret_content(at, last, edits);
        break;
    }
  }
  if (last) return text_.size();
  if (at > 0) line_begins_ = text_[at - 1] == '\n';
  return at;
}

// RFC 2046 §5.1.1: a delimiter stands at the beginning of a line. A bare line feed will do: what a server reads so must
// not hide a secret from us.
MultipartFinder::Delimiter MultipartFinder::next_delimiter(std::size_t at) const {
  for (auto found = text_.find(delimiter_, at); found != std::string_view::npos;
       found = text_.find(delimiter_, found + 1)) {
    const bool line_begins = found == 0 ? line_begins_ : text_[found - 1] == '\n' || found == at;
    if (!line_begins) continue;
    auto begin = found;
    if (begin > at && text_[begin - 1] == '\n') --begin;
    if (begin > at && text_[begin - 1] == '\r') --begin;
    return {begin, found + delimiter_.size(), true};
  }
  return {};
}

bool MultipartFinder::preamble(std::size_t& at) {
  const auto delimiter = next_delimiter(at);
  if (delimiter.found) {
    at = delimiter.end;
    inside_ = Inside::head;
    return true;
  }
  const auto keep = std::min(text_.size(), delimiter_.size() + 2);
  at = std::max(at, text_.size() - keep);
  return false;
}

// From behind the delimiter to the empty line.
bool MultipartFinder::head(std::size_t& at, bool last) {
  if (text_.size() - at < 2 && !last) return false;
  if (text_.substr(at, 2) == "--") {  // the end; what follows is no part
    inside_ = Inside::preamble;
    return true;
  }
  const auto rest = text_.substr(at, head_bytes_max);
  const auto with_returns = rest.find("\r\n\r\n");
  const auto bare = rest.find("\n\n");
  const auto end = std::min(with_returns == std::string_view::npos ? rest.size() : with_returns + 4,
                            bare == std::string_view::npos ? rest.size() : bare + 2);
  if (end == rest.size() && rest.size() < head_bytes_max && with_returns == std::string_view::npos &&
      bare == std::string_view::npos && !last) {
    return false;
  }
  open_part(rest.substr(0, end));
  at += end;
  return true;
}

void MultipartFinder::open_part(std::string_view head) {
  std::string_view type;
  std::optional<std::string> name;
  while (!head.empty()) {
    const auto line_end = std::min(head.find('\n'), head.size() - 1);
    const auto line = head.substr(0, line_end + 1);
    head.remove_prefix(line_end + 1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto field = trimmed(line.substr(0, colon));
    const auto value = trimmed(line.substr(colon + 1));
    if (equal_without_case(field, "content-type")) type = value;
    if (equal_without_case(field, "content-disposition")) name = parameter(value, "name");
  }
  rule_ = name ? scope_.find(SecretPlace::form, KeyText::of_percent_coded(*name)) : nullptr;
  if (rule_ != nullptr && rule_->effect != SecretEffect::replace) rule_ = nullptr;
  inside_ = rule_ != nullptr ? Inside::secret_content : Inside::content;
  auto kind = kind_of(type);
  // A multipart within a part is looked through as text.
  if (kind == BodyKind::multipart || kind == BodyKind::event_stream) kind = BodyKind::text;
  part_.emplace(kind, scope_);
  passing_ = false;
}

bool MultipartFinder::content(std::size_t& at, bool last, TextEdits& edits) {
  const auto delimiter = next_delimiter(at);
  const bool ended = delimiter.found || last;
  const auto kept = std::min(text_.size() - at, delimiter_.size() + 2);
  const auto end = delimiter.found ? delimiter.begin : last ? text_.size() : text_.size() - kept;
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
  const auto delimiter = next_delimiter(at);
  const auto kept = std::min(text_.size() - at, delimiter_.size() + 2);
  const auto end = delimiter.found ? delimiter.begin : last ? text_.size() : text_.size() - kept;
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
