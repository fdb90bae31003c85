#include "storage/scan/literal_forms.hpp"

#include <algorithm>

#include "config/text.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

// What is shorter stands in texts by chance, such as the two middle characters of a coded secret of four.
constexpr std::size_t form_bytes_min = 4;
// "{{tapedeck:" and the longest class, each character percent-coded.
constexpr std::size_t placeholder_bytes_max = 3 * (11 + 64);

std::string hex_of(std::string_view bytes, const char* digits) {
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// Percent-coded octets in lower case, all else as it is.
std::string in_lower_percent(std::string text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    const std::string digits = lower_case(std::string_view(text).substr(at + 1, 2));
    text.replace(at + 1, digits.size(), digits);
  }
  return text;
}

// In a form a space is a plus sign.
std::string form_encode(std::string_view text) {
  std::string coded = percent_encode(text);
  for (std::size_t at = coded.find("%20"); at != coded.npos; at = coded.find("%20", at)) coded.replace(at, 3, "+");
  return coded;
}

// RFC 8259 §7 leaves to the writer whether `/` is escaped.
std::string json_escape(std::string_view text, bool escapes_slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || (c == '/' && escapes_slash)) {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00" + hex_of({&c, 1}, "0123456789abcdef");
    } else {
      out += c;
    }
  }
  return out;
}

// The characters of the base64 of `bytes` that depend on no other byte when it begins `offset` bytes behind a group of
// three: the outer ones are shared with what stands around.
std::string base64_core(std::string_view bytes, std::size_t offset, const char* digits) {
  const std::string padded = std::string(offset, '\0') + std::string(bytes);
  std::string text;
  for (std::size_t bit = 0; bit + 6 <= 8 * padded.size(); bit += 6) {
    const std::size_t at = bit / 8;
    const unsigned high = static_cast<unsigned char>(padded[at]);
    const unsigned low = at + 1 < padded.size() ? static_cast<unsigned char>(padded[at + 1]) : 0;
    text += digits[((high << 8 | low) >> (10 - bit % 8)) & 63];
  }
  const std::size_t shared = offset == 0 ? 0 : offset + 1;
  return text.substr(std::min(shared, text.size()));
}

// A placeholder of the secret's own class may hold the secret's own letters.
bool stands_in_placeholder(std::string_view text, std::size_t at) {
  const std::size_t from = at - std::min(at, placeholder_bytes_max);
  const std::string_view before = text.substr(from, at - from + placeholder_bytes_max);
  for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"{{tapedeck:", "}}"},
                                    std::pair<std::string_view, std::string_view>{"%7B%7Btapedeck%3A", "%7D%7D"}}) {
    const std::size_t begin = before.rfind(open, at - from);
    if (begin == before.npos) continue;
    const std::size_t end = before.find(close, begin);
    if (end != before.npos && at - from < end + close.size()) return true;
  }
  return false;
}

}  // namespace

LiteralForms::LiteralForms(const LiteralSecret& secret) : placeholder_class_(secret.placeholder_class) {
  constexpr const char* standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr const char* for_urls = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::string& value = secret.value;
  add(value, "as it is");
  add(percent_encode(value), "percent-encoded");
  add(in_lower_percent(percent_encode(value)), "percent-encoded");
  add(form_encode(value), "form-encoded");
  add(in_lower_percent(form_encode(value)), "form-encoded");
  for (const bool escapes_slash : {false, true}) {
    const std::string once = json_escape(value, escapes_slash);
    add(once, "JSON-escaped");
    add(json_escape(once, escapes_slash), "JSON-escaped twice");
  }
  add(hex_of(value, "0123456789abcdef"), "hexadecimal");
  add(hex_of(value, "0123456789ABCDEF"), "hexadecimal");
  for (std::size_t offset = 0; offset < 3; ++offset) {
    add(base64_core(value, offset, standard), "base64");
    add(base64_core(value, offset, for_urls), "base64url");
  }
}

void LiteralForms::add(std::string text, std::string_view name) {
  const auto same = [&](const Form& form) { return form.text == text; };
  if (text.size() < form_bytes_min || std::any_of(forms_.begin(), forms_.end(), same)) return;
  forms_.push_back({std::move(text), name});
}

void LiteralForms::find_in(std::string_view text, std::vector<SuspectSpan>& found) const {
  for (const Form& form : forms_) {
    for (std::size_t at = text.find(form.text); at != text.npos; at = text.find(form.text, at + form.text.size())) {
      if (found.size() == suspects_max) return;
      if (stands_in_placeholder(text, at)) continue;
      found.push_back(
          {at, at + form.text.size(), placeholder_class_ + ", " + std::string(form.name), Finding::Kind::secret});
    }
  }
}

}  // namespace tapedeck
