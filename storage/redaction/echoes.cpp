#include "storage/redaction/echoes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "storage/redaction/encoded_text.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t step_bytes = 128 * 1024;
constexpr std::size_t escape_levels_max = 3;
constexpr std::size_t escape_bytes_max = 16;
constexpr std::size_t placeholder_bytes_max = 128;

bool is_base64_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
         c == '-' || c == '_' || c == '=';
}

// Digits at both ends hold bits of the secret as well as of what stands beside it: a group of four goes as a whole.
void widen(std::string_view text, const SecretPattern& pattern, std::size_t& begin, std::size_t& end) {
  const auto size = end - begin;
  for (std::size_t left = pattern.quad_offset; left > 0 && begin > 0 && is_base64_digit(text[begin - 1]); --left) {
    --begin;
  }
  const auto last_group = (pattern.quad_offset + size) % 4;
  for (std::size_t left = last_group == 0 ? 0 : 4 - last_group;
       left > 0 && end < text.size() && is_base64_digit(text[end]); --left) {
    ++end;
  }
}

// `?key=` or `&key=` stands before the place, so the value there is percent-coded even if it does not show.
bool is_query_value(std::string_view text, std::size_t at) {
  constexpr std::size_t key_bytes_max = 64;
  if (at == 0 || text[at - 1] != '=') return false;
  for (std::size_t left = key_bytes_max, i = at - 1; i > 0 && left > 0; --left) {
    const char c = text[--i];
    if (c == '?' || c == '&') return true;
    if (c <= ' ' || c == '"' || c == '<' || c == '=' || c == '/') return false;
  }
  return false;
}

// Whether the range touches a placeholder: a secret called `client` must not be taken out of our own words.
bool touches_placeholder(std::string_view text, std::size_t begin, std::size_t end, const RuleTable& rules) {
  struct Brackets {
    std::string_view open;
    std::string_view close;
  };
  constexpr Brackets all[] = {{"{{tapedeck:", "}}"}, {"%7B%7Btapedeck%3A", "%7D%7D"}};
  const auto first = begin > placeholder_bytes_max ? begin - placeholder_bytes_max : 0;
  const auto around = text.substr(first, end - first + placeholder_bytes_max);
  for (const auto& [open, close] : all) {
    for (auto at = around.find(open); at != std::string_view::npos && first + at < end;
         at = around.find(open, at + 1)) {
      const auto name = at + open.size();
      const auto name_end = around.find(close, name);
      if (name_end == std::string_view::npos || first + name_end + close.size() <= begin) continue;
      if (rules.knows_class(around.substr(name, name_end - name))) return true;
    }
  }
  return false;
}

class EchoSearch {
 public:
  EchoSearch(std::string_view text, const SecretPatterns& patterns, const RuleTable& rules, bool percent_coded)
      : text_(text), patterns_(patterns), rules_(rules), percent_coded_(percent_coded) {}

  // Adds what was found in all levels of escapes, in order and without overlaps.
  void run(TextEdits& found) {
    search(text_, 0, found);
    std::string_view coded = text_;
    for (std::size_t depth = 1; depth <= escape_levels_max && may_hold_escapes(coded); ++depth) {
      auto& plain = levels_[depth - 1];
      if (!unescape_all(coded, plain)) break;
      // What is new at this level holds a byte that was escaped, and so does an escape that shows at the next; between
      // that byte and the secret may stand one escape for each level.
      keep_neighbourhoods(plain, patterns_.longest() + escape_levels_max * escape_bytes_max);
      search(plain.text, depth, found);
      coded = plain.text;
    }
    merge(found);
  }

 private:
  // `depth` is how many levels of escapes were undone.
  std::size_t place_of(std::size_t at, std::size_t depth) const {
    for (; depth > 0; --depth) at = levels_[depth - 1].place_of(at);
    return at;
  }

  bool touches_gap(std::size_t begin, std::size_t end, std::size_t depth) const {
    for (; depth > 0; --depth) {
      const auto& level = levels_[depth - 1];
      if (level.touches_gap(begin, end)) return true;
      begin = level.place_of(begin);
      end = level.place_of(end);
    }
    return false;
  }

  void search(std::string_view level, std::size_t depth, TextEdits& found) {
    SecretPatterns::normalise(level, normalised_);
    const auto first = found.size();
    for (auto match = patterns_.find(normalised_, 0); match.secret != nullptr;
         match = patterns_.find(normalised_, match.begin + 1)) {
      auto [begin, end] = std::pair(match.begin, match.end);
      if (touches_gap(begin, end, depth)) continue;
      if (match.pattern->base64) widen(level, *match.pattern, begin, end);
      begin = place_of(begin, depth);
      end = place_of(end, depth);
      if (touches_placeholder(text_, begin, end, rules_)) continue;
      // A hostile text is full of matches that overlap; only their union is kept.
      if (found.size() > first && begin <= found.back().end) {
        found.back().end = std::max(found.back().end, end);
        found.back().begin = std::min(found.back().begin, begin);
        continue;
      }
      found.push_back({begin, end, &match.secret->rule, written_for(begin, end)});
    }
  }

  Written written_for(std::size_t begin, std::size_t end) const {
    const bool coded = percent_coded_ || is_query_value(text_, begin) || has_percent_escape(begin, end);
    return coded ? Written::percent_coded : Written::plain;
  }

  bool has_percent_escape(std::size_t begin, std::size_t end) const {
    const auto value = text_.substr(begin, end - begin);
    for (auto at = value.find('%'); at != std::string_view::npos; at = value.find('%', at + 1)) {
      if (at + 2 < value.size() && hex_digit_value(value[at + 1]) >= 0 && hex_digit_value(value[at + 2]) >= 0) {
        return true;
      }
    }
    return false;
  }

  // A long secret is known by its pieces, so what touches is one as well.
  static void merge(TextEdits& found) {
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const bool joins =
          kept > 0 && (found[i].begin < found[kept - 1].end ||
                       (found[i].begin == found[kept - 1].end && found[i].rule->text == found[kept - 1].rule->text));
      if (joins) {
        found[kept - 1].end = std::max(found[kept - 1].end, found[i].end);
      } else {
        found[kept++] = found[i];
      }
    }
    found.resize(kept);
  }

  std::string_view text_;
  const SecretPatterns& patterns_;
  const RuleTable& rules_;
  bool percent_coded_;
  std::string normalised_;
  std::array<UnescapedText, escape_levels_max> levels_;
};

}  // namespace

void find_echoes(std::string_view text, std::size_t from, std::size_t until, const SecretPatterns& patterns,
                 const RuleTable& rules, bool percent_coded, TextEdits& edits) {
  if (patterns.empty() || text.size() < patterns.shortest()) return;
  const auto first = from > echo_reach_bytes ? from - echo_reach_bytes : 0;
  const auto around = text.substr(first, until - first + echo_reach_bytes);
  TextEdits found;
  EchoSearch(around, patterns, rules, percent_coded).run(found);
  for (auto& edit : found) {
    edit.begin += first;
    edit.end += first;
    if (edit.end <= from || edit.begin >= until) continue;
    if (edit.begin < from) {
      edit.begin = from;
      edit.written = Written::nothing;
    }
    edit.end = std::min(edit.end, until);
    edits.push_back(edit);
  }
}

void find_echoes(std::string_view text, const SecretPatterns& patterns, const RuleTable& rules, bool percent_coded,
                 TextEdits& edits) {
  if (patterns.empty() || text.size() < patterns.shortest()) return;
  for (std::size_t from = 0; from < text.size(); from += step_bytes) {
    find_echoes(text, from, std::min(text.size(), from + step_bytes), patterns, rules, percent_coded, edits);
  }
}

}  // namespace tapedeck
