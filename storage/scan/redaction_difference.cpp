#include "storage/scan/redaction_difference.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

// How much behind a placeholder has to be the same for both texts to be in step again.
constexpr std::size_t anchor_bytes = 24;

std::size_t common_end(std::string_view left, std::string_view right) {
  const std::size_t size = std::min(left.size(), right.size());
  std::size_t common = 0;
  while (common < size && left[left.size() - 1 - common] == right[right.size() - 1 - common]) ++common;
  return common;
}

// The end of the placeholder that stands at `at`, or npos: shapes of other forms have no end that could be seen.
std::size_t end_of_placeholder(std::string_view redacted, std::size_t at) {
  constexpr std::size_t placeholder_bytes_max = 3 * (13 + 64);
  const std::string_view rest = redacted.substr(at, placeholder_bytes_max);
  for (const std::string_view close : {"}}", "%7D%7D"}) {
    const std::size_t end = rest.find(close);
    if (end != rest.npos) return at + end + close.size();
  }
  return redacted.npos;
}

// What stands behind a placeholder, up to the next one.
std::string_view anchor_at(std::string_view redacted, std::size_t at) {
  std::string_view anchor = redacted.substr(at, anchor_bytes);
  for (const std::string_view open : {"{{", "%7B%7B"}) anchor = anchor.substr(0, anchor.find(open));
  return anchor;
}

}  // namespace

std::vector<SuspectSpan> redaction_difference(std::string_view kept, std::string_view redacted) {
  std::vector<SuspectSpan> spans;
  std::size_t at = 0;
  std::size_t redacted_at = 0;
  while (true) {
    const auto rest = kept.substr(at);
    const auto redacted_rest = redacted.substr(redacted_at);
    const auto [left, right] = std::mismatch(rest.begin(), rest.end(), redacted_rest.begin(), redacted_rest.end());
    if (left == rest.end() && right == redacted_rest.end()) return spans;
    if (spans.size() == suspects_max) return spans;
    at += static_cast<std::size_t>(left - rest.begin());
    redacted_at += static_cast<std::size_t>(right - redacted_rest.begin());

    const std::size_t placeholder_end = end_of_placeholder(redacted, redacted_at);
    std::size_t end = kept.npos;
    if (placeholder_end != redacted.npos) {
      const bool is_last = placeholder_end == redacted.size();
      const std::string_view anchor = anchor_at(redacted, placeholder_end);
      if (is_last) end = kept.size();
      if (!anchor.empty()) end = kept.find(anchor, at);
    }
    if (end == kept.npos) {
      const std::size_t common = common_end(kept.substr(at), redacted.substr(redacted_at));
      spans.push_back({at, kept.size() - common, {}, Finding::Kind::secret});
      return spans;
    }
    spans.push_back({at, end, {}, Finding::Kind::secret});
    at = end;
    redacted_at = placeholder_end;
  }
}

}  // namespace tapedeck
