#include "storage/scan/secret_shapes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t url_authority_bytes_max = 512;
constexpr std::size_t random_bytes_min = 32;
constexpr std::size_t random_bytes_max = 512;  // what is longer is data, such as a picture in base64
constexpr std::size_t random_strings_max = 3;
// Bits a character. Random base64 of 32 characters has 4.6 on average, hexadecimal 4 at most, words and paths less.
constexpr double random_entropy_min = 4.4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_alphanumeric(char c) {
  return is_digit(c) || is_upper(c) || is_lower(c);
}
bool is_upper_or_digit(char c) {
  return is_digit(c) || is_upper(c);
}
bool is_word(char c) {
  return is_alphanumeric(c) || c == '_';
}
bool is_word_or_hyphen(char c) {
  return is_word(c) || c == '-';
}
bool is_token68(char c) {  // RFC 9110 §11.2
  return is_word_or_hyphen(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}
bool is_base64(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

using CharacterTest = bool (*)(char);

std::size_t end_of_run(std::string_view text, std::size_t at, CharacterTest belongs) {
  while (at < text.size() && belongs(text[at])) ++at;
  return at;
}

// Whether what stands at `at` is the beginning of a word: an escape before it (%22, \n) is no part of it.
bool begins_word(std::string_view text, std::size_t at) {
  if (at == 0 || !is_word(text[at - 1])) return true;
  if (at >= 2 && text[at - 2] == '\\') return true;
  return at >= 3 && text[at - 3] == '%' && hex_digit_value(text[at - 2]) >= 0 && hex_digit_value(text[at - 1]) >= 0;
}

// A beginning that its issuer gives to every token, and what follows it.
struct IssuedToken {
  std::string_view beginning;
  std::string_view rule;
  CharacterTest belongs;
  std::size_t rest_min;
  std::size_t rest_max;
};

constexpr std::size_t any_length = 4096;
constexpr IssuedToken issued_tokens[] = {
    {"sk-", "secret key sk-", is_word_or_hyphen, 20, any_length},
    {"sk_live_", "Stripe key", is_alphanumeric, 16, any_length},
    {"sk_test_", "Stripe key", is_alphanumeric, 16, any_length},
    {"rk_live_", "Stripe key", is_alphanumeric, 16, any_length},
    {"ghp_", "GitHub token", is_alphanumeric, 30, any_length},
    {"gho_", "GitHub token", is_alphanumeric, 30, any_length},
    {"ghu_", "GitHub token", is_alphanumeric, 30, any_length},
    {"ghs_", "GitHub token", is_alphanumeric, 30, any_length},
    {"ghr_", "GitHub token", is_alphanumeric, 30, any_length},
    {"github_pat_", "GitHub token", is_word, 22, any_length},
    {"xoxa-", "Slack token", is_word_or_hyphen, 10, any_length},
    {"xoxb-", "Slack token", is_word_or_hyphen, 10, any_length},
    {"xoxp-", "Slack token", is_word_or_hyphen, 10, any_length},
    {"xoxr-", "Slack token", is_word_or_hyphen, 10, any_length},
    {"xoxs-", "Slack token", is_word_or_hyphen, 10, any_length},
    {"AKIA", "AWS access key", is_upper_or_digit, 16, 16},
    {"ASIA", "AWS access key", is_upper_or_digit, 16, 16},
    {"AIza", "Google API key", is_word_or_hyphen, 35, 35},
};

// Every search goes on behind the run that it has looked at, so that its time grows with the text alone.
void find_issued_tokens(std::string_view text, std::vector<SuspectSpan>& found) {
  for (const IssuedToken& token : issued_tokens) {
    std::size_t next = 0;
    for (std::size_t at = text.find(token.beginning); at != text.npos; at = text.find(token.beginning, next)) {
      next = at + 1;
      if (found.size() == suspects_max) return;
      if (!begins_word(text, at)) continue;
      const std::size_t rest_at = at + token.beginning.size();
      next = end_of_run(text, rest_at, token.belongs);
      const std::string_view rest = text.substr(rest_at, next - rest_at);
      // Words joined by hyphens ("sk-learn-…") have no digits.
      const bool random = std::any_of(rest.begin(), rest.end(), is_digit);
      if (rest.size() < token.rest_min || rest.size() > token.rest_max || !random) continue;
      found.push_back({at, next, std::string(token.rule), Finding::Kind::secret});
    }
  }
}

void find_json_web_tokens(std::string_view text, std::vector<SuspectSpan>& found) {
  constexpr std::size_t part_bytes_min = 10;
  std::size_t next = 0;
  for (std::size_t at = text.find("eyJ"); at != text.npos; at = text.find("eyJ", next)) {
    next = at + 1;
    if (found.size() == suspects_max) return;
    if (!begins_word(text, at)) continue;
    const std::size_t header_end = end_of_run(text, at, is_word_or_hyphen);
    next = header_end;
    if (header_end - at < part_bytes_min || text.substr(header_end, 1) != ".") continue;
    const std::size_t payload_end = end_of_run(text, header_end + 1, is_word_or_hyphen);
    if (payload_end - header_end <= part_bytes_min || text.substr(payload_end, 1) != ".") continue;
    next = end_of_run(text, payload_end + 1, is_word_or_hyphen);
    if (is_placeholder(PlaceholderShape::jwt, text.substr(at, next - at))) continue;
    found.push_back({at, next, "JSON Web Token", Finding::Kind::secret});
  }
}

void find_private_keys(std::string_view text, std::vector<SuspectSpan>& found) {
  constexpr std::string_view begin_mark = "-----BEGIN ";
  constexpr std::size_t label_bytes_max = 64;
  std::size_t next = 0;
  for (std::size_t at = text.find(begin_mark); at != text.npos; at = text.find(begin_mark, next)) {
    next = at + begin_mark.size();
    if (found.size() == suspects_max) return;
    const std::string_view label = text.substr(at, begin_mark.size() + label_bytes_max);
    if (label.find("PRIVATE KEY-----") == label.npos) continue;
    next = std::min(text.find("-----END ", at), text.size());
    found.push_back({at, next, "private key", Finding::Kind::secret});
  }
}

// RFC 4648, either alphabet; nullopt when it is none.
std::optional<std::string> base64_decode(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    if (!is_base64(c)) return std::nullopt;
    const int value = is_upper(c)   ? c - 'A'
                      : is_lower(c) ? c - 'a' + 26
                      : is_digit(c) ? c - '0' + 52
                                    : (c == '+' || c == '-' ? 62 : 63);
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

// RFC 7617: what is behind `Basic` is a user, a colon and a password.
bool is_basic_pair(std::string_view value) {
  const auto pair = base64_decode(value);
  if (!pair) return false;
  const std::size_t colon = pair->find(':');
  if (colon == pair->npos || colon + 1 == pair->size()) return false;
  const auto prints = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; };
  if (!std::all_of(pair->begin(), pair->end(), prints)) return false;
  return !is_placeholder(PlaceholderShape::tagged, std::string_view(*pair).substr(colon + 1));
}

bool is_bearer_token(std::string_view value) {
  constexpr std::size_t token_bytes_min = 20;
  return value.size() >= token_bytes_min && std::any_of(value.begin(), value.end(), is_digit) &&
         !is_placeholder(PlaceholderShape::jwt, value) && !is_placeholder(PlaceholderShape::uuid, value);
}

void find_credentials(std::string_view text, std::string_view scheme_end, std::string_view initials,
                      std::string_view rule, bool (*is_credential)(std::string_view), std::vector<SuspectSpan>& found) {
  for (std::size_t at = text.find(scheme_end); at != text.npos; at = text.find(scheme_end, at + 1)) {
    if (found.size() == suspects_max) return;
    if (at == 0 || initials.find(text[at - 1]) == initials.npos || !begins_word(text, at - 1)) continue;
    const std::size_t begin = at + scheme_end.size();
    const std::size_t end = end_of_run(text, begin, is_token68);
    if (is_credential(text.substr(begin, end - begin))) {
      found.push_back({begin, end, std::string(rule), Finding::Kind::secret});
    }
  }
}

bool is_userinfo(char c) {  // RFC 3986 §3.2.1, and the @ that only careless writers leave
  return is_alphanumeric(c) || std::string_view("-._~%!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

void find_url_passwords(std::string_view text, std::vector<SuspectSpan>& found) {
  for (std::size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 1)) {
    if (found.size() == suspects_max) return;
    const std::size_t begin = at + 3;
    const std::string_view rest = text.substr(begin, url_authority_bytes_max);
    const std::string_view authority = rest.substr(0, end_of_run(rest, 0, is_userinfo));
    const std::size_t end = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (end == authority.npos || colon >= end || colon + 1 == end) continue;
    const std::string_view password = authority.substr(colon + 1, end - colon - 1);
    if (is_placeholder(PlaceholderShape::tagged, percent_decode(password))) continue;
    found.push_back({begin + colon + 1, begin + end, "password in a URL", Finding::Kind::secret});
  }
}

double entropy_of(std::string_view text) {
  std::array<unsigned, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const unsigned count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool looks_random(std::string_view run) {
  if (run.size() < random_bytes_min || run.size() > random_bytes_max) return false;
  return std::any_of(run.begin(), run.end(), is_upper) && std::any_of(run.begin(), run.end(), is_lower) &&
         std::any_of(run.begin(), run.end(), is_digit) && entropy_of(run) >= random_entropy_min;
}

}  // namespace

void find_secret_shapes(std::string_view text, std::vector<SuspectSpan>& found) {
  find_json_web_tokens(text, found);
  find_issued_tokens(text, found);
  find_private_keys(text, found);
  find_credentials(text, "earer ", "Bb", "bearer token", is_bearer_token, found);
  find_credentials(text, "asic ", "Bb", "basic credentials", is_basic_pair, found);
  find_url_passwords(text, found);
}

void find_random_strings(std::string_view text, std::vector<SuspectSpan>& found) {
  if (text.find('\0') != text.npos) return;  // no text
  std::size_t strings = 0;
  for (std::size_t at = 0; at < text.size() && strings < random_strings_max; ++at) {
    const std::size_t end = end_of_run(text, at, [](char c) { return is_base64(c) || c == '.'; });
    const std::string_view run = text.substr(at, end - at);
    if (looks_random(run) && !is_placeholder(PlaceholderShape::jwt, run)) {
      found.push_back({at, end, "random string", Finding::Kind::warning});
      ++strings;
    }
    at = end;
  }
}

}  // namespace tapedeck
