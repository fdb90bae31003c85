#include "replay/serving/eligibility.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace tapedeck {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Cuts the text up to `separator` off the front.
std::string_view next_piece(std::string_view& text, char separator) {
  const auto piece = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(piece.size() + 1, text.size()));
  return trimmed(piece);
}

// Whether the parameters of a list element have a weight of zero (RFC 9110 §12.4.2).
bool is_excluded(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = next_piece(parameters, ';');
    if (parameter.size() < 3 || !equal_without_case(parameter.substr(0, 2), "q=")) continue;
    return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

void append_list(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list += value;
}

constexpr std::array<std::string_view, 4> condition_fields{"If-Match", "If-None-Match", "If-Modified-Since",
                                                           "If-Unmodified-Since"};

// 0: the very same, or none on both sides; 1: others; 2: only one side has any.
int distance(std::string_view recorded, std::string_view asked) {
  if (recorded == asked) return 0;
  return recorded.empty() || asked.empty() ? 2 : 1;
}

// 0: does not cover; 1: */*; 2: type/*; 3: the type itself.
int specificity(std::string_view range, std::string_view media_type) {
  if (range == "*/*" || range == "*") return 1;
  if (range.ends_with("/*")) {
    return equal_without_case(range.substr(0, range.size() - 1), media_type.substr(0, range.size() - 1)) ? 2 : 0;
  }
  return equal_without_case(range, media_type) ? 3 : 0;
}

}  // namespace

RequestConditions conditions_of(const Headers& request_headers) {
  RequestConditions conditions;
  std::array<std::optional<std::string>, condition_fields.size()> validators;
  for (std::size_t i = 0; i < request_headers.size(); ++i) {
    const auto [name, value] = request_headers[i];
    if (equal_without_case(name, "Accept")) {
      append_list(conditions.accept, value);
    } else if (equal_without_case(name, "Accept-Encoding")) {
      append_list(conditions.accept_encoding, value);
    } else if (equal_without_case(name, "Range")) {
      conditions.range = true;
    } else {
      for (std::size_t k = 0; k < condition_fields.size(); ++k) {
        if (!equal_without_case(name, condition_fields[k])) continue;
        if (!validators[k]) validators[k].emplace();
        append_list(*validators[k], value);
      }
    }
  }
  for (std::size_t k = 0; k < condition_fields.size(); ++k) {
    if (validators[k]) conditions.validators.append(condition_fields[k]).append(": ").append(*validators[k]) += '\n';
  }
  return conditions;
}

bool is_eligible(int status, const RequestConditions& conditions) {
  if (status == 304 || status == 412) return conditions.is_conditional();
  if (status == 206) return conditions.range;
  return true;
}

int preference_of(const Negotiation& recorded, const RequestConditions& conditions) {
  const bool type_fits = recorded.accept == conditions.accept || accept_allows(conditions.accept, recorded.media_type);
  const bool coding_fits = recorded.accept_encoding == conditions.accept_encoding ||
                           accept_encoding_allows(conditions.accept_encoding, recorded.content_coding);
  return (type_fits ? 0 : 6) + (coding_fits ? 0 : 3) + distance(recorded.validators, conditions.validators);
}

bool accept_allows(std::string_view accept, std::string_view media_type) {
  if (trimmed(accept).empty() || media_type.empty()) return true;
  int best = 0;
  bool allowed = false;
  while (!accept.empty()) {
    auto element = next_piece(accept, ',');
    const auto range = next_piece(element, ';');
    const int found = specificity(range, media_type);
    if (found == 0 || found < best) continue;
    allowed = (found == best && allowed) || !is_excluded(element);
    best = found;
  }
  return allowed;
}

bool accept_encoding_allows(std::string_view accept_encoding, std::string_view content_coding) {
  const bool identity = content_coding.empty() || equal_without_case(content_coding, "identity");
  const auto wanted = identity ? std::string_view("identity") : content_coding;
  bool by_wildcard = identity;
  while (!accept_encoding.empty()) {
    auto element = next_piece(accept_encoding, ',');
    const auto coding = next_piece(element, ';');
    if (equal_without_case(coding, wanted)) return !is_excluded(element);
    if (coding == "*") by_wildcard = !is_excluded(element);
  }
  return by_wildcard;
}

}  // namespace tapedeck
