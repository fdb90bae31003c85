#include "replay/matching/near_miss.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "replay/matching/body_digest.hpp"
#include "replay/matching/json_difference.hpp"
#include "replay/matching/multipart.hpp"
#include "replay/matching/url_normalisation.hpp"

namespace tapedeck {

namespace {

class DifferenceList {
 public:
  void add(std::string field, std::optional<std::string_view> recorded, std::optional<std::string_view> requested) {
    if (differences_.size() >= differences_max - 1) {
      ++more_;
      return;
    }
    differences_.push_back({readable(field), recorded.has_value(), readable(recorded.value_or("")),
                            requested.has_value(), readable(requested.value_or(""))});
  }
  void add_if_different(std::string field, std::string_view recorded, std::string_view requested) {
    if (recorded != requested) add(std::move(field), recorded, requested);
  }
  std::vector<FieldDifference> take() {
    if (more_ > 0) differences_.push_back({std::to_string(more_) + " more", false, {}, false, {}});
    return std::move(differences_);
  }

 private:
  std::vector<FieldDifference> differences_;
  std::size_t more_ = 0;
};

std::vector<std::string> split_pairs(std::string_view body) {
  std::vector<std::string> pairs;
  while (!body.empty()) {
    const auto piece = body.substr(0, body.find('&'));
    pairs.emplace_back(piece);
    body.remove_prefix(std::min(piece.size() + 1, body.size()));
  }
  return pairs;
}

// Multisets of pairs: what both have as often is no difference; what is left of each key is paired up in order.
void add_pair_differences(DifferenceList& list, const std::string& place, const std::vector<std::string>& recorded,
                          const std::vector<std::string>& requested) {
  std::vector<std::string> only_recorded;
  std::vector<std::string> only_requested;
  std::set_difference(recorded.begin(), recorded.end(), requested.begin(), requested.end(),
                      std::back_inserter(only_recorded));
  std::set_difference(requested.begin(), requested.end(), recorded.begin(), recorded.end(),
                      std::back_inserter(only_requested));
  std::map<std::string, std::pair<std::vector<DecodedPair>, std::vector<DecodedPair>>> by_key;
  for (const auto& pair : only_recorded) {
    auto decoded = decoded_pair(pair);
    by_key[decoded.key].first.push_back(std::move(decoded));
  }
  for (const auto& pair : only_requested) {
    auto decoded = decoded_pair(pair);
    by_key[decoded.key].second.push_back(std::move(decoded));
  }
  for (const auto& [key, sides] : by_key) {
    const auto value_at = [](const std::vector<DecodedPair>& side, std::size_t i) -> std::optional<std::string_view> {
      if (i >= side.size()) return std::nullopt;
      return side[i].has_value ? std::string_view(side[i].value) : "(no value)";
    };
    for (std::size_t i = 0; i < std::max(sides.first.size(), sides.second.size()); ++i) {
      list.add(place + " " + key, value_at(sides.first, i), value_at(sides.second, i));
    }
  }
}

std::vector<PartLine> split_part_lines(std::string_view body) {
  std::vector<PartLine> parts;
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    parts.push_back(split_part_line(line));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
  }
  return parts;
}

std::string labels_of(const std::vector<PartLine>& parts) {
  std::string labels;
  for (const auto& part : parts) {
    labels.append(labels.empty() ? "" : ", ").append(part.label.empty() ? "(no name)" : part.label);
  }
  return labels;
}

// Parts of one name, or without any, are paired up in order.
void add_part_differences(DifferenceList& list, const std::vector<PartLine>& recorded,
                          const std::vector<PartLine>& requested) {
  using Texts = std::vector<std::string_view>;
  std::map<std::string_view, std::pair<Texts, Texts>> by_label;
  for (const auto& part : recorded) by_label[part.label].first.push_back(part.rest);
  for (const auto& part : requested) by_label[part.label].second.push_back(part.rest);
  bool same_parts = true;
  for (const auto& [label, sides] : by_label) {
    const auto field = label.empty() ? std::string("body part") : "body part " + std::string(label);
    const auto text_at = [](const Texts& side, std::size_t i) {
      return i < side.size() ? std::optional(side[i]) : std::nullopt;
    };
    for (std::size_t i = 0; i < std::max(sides.first.size(), sides.second.size()); ++i) {
      const auto left = text_at(sides.first, i);
      const auto right = text_at(sides.second, i);
      if (left == right) continue;
      same_parts = false;
      list.add(field, left, right);
    }
  }
  if (same_parts) list.add("body part order", labels_of(recorded), labels_of(requested));
}

std::string body_in_short(const MatchKey& key) {
  if (key.body_kind == "bytes" || key.body.empty()) return key.body;
  return key.body_kind + " " + key.body;
}

void add_body_differences(DifferenceList& list, const MatchKey& recorded, const MatchKey& requested) {
  const bool same_kind = recorded.body_kind == requested.body_kind;
  if (same_kind && recorded.body == requested.body) return;
  const bool whole = !recorded.body.starts_with(body_digest_prefix) && !requested.body.starts_with(body_digest_prefix);
  if (same_kind && recorded.body_kind == "json") {
    const bool compared =
        for_each_json_difference(recorded.body, requested.body, [&](const JsonDifference& difference) {
          list.add("body " + difference.path, difference.left_present ? std::optional(difference.left) : std::nullopt,
                   difference.right_present ? std::optional(difference.right) : std::nullopt);
        });
    if (compared) return;
  } else if (same_kind && whole && recorded.body_kind == "form") {
    add_pair_differences(list, "form", split_pairs(recorded.body), split_pairs(requested.body));
    return;
  } else if (same_kind && whole && recorded.body_kind == "multipart") {
    add_part_differences(list, split_part_lines(recorded.body), split_part_lines(requested.body));
    return;
  }
  const auto side = [](const MatchKey& key, const std::string& text) -> std::optional<std::string_view> {
    return key.body_kind.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  const auto recorded_text = body_in_short(recorded);
  const auto requested_text = body_in_short(requested);
  list.add("body", side(recorded, recorded_text), side(requested, requested_text));
}

// The length of the UTF-8 sequence that begins there, 0 when none does (RFC 3629 §4).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string_view miss_reason_text(MissReason reason) {
  switch (reason) {
    case MissReason::not_intercepted:
      return "not-intercepted";
    case MissReason::empty_cassette:
      return "empty-cassette";
    case MissReason::no_host:
      return "no-host";
    case MissReason::no_path:
      return "no-path";
    case MissReason::no_method:
      return "no-method";
    case MissReason::differs:
      return "differs";
    case MissReason::exhausted:
      return "exhausted";
  }
  return "differs";
}

MissReport miss_of(std::string request_line, std::string detail) {
  MissReport report;
  report.request_line = std::move(request_line);
  report.detail = std::move(detail);
  return report;
}

std::vector<FieldDifference> differences_between(const MatchKey& recorded, const MatchKey& requested) {
  DifferenceList list;
  list.add_if_different("origin", recorded.origin, requested.origin);
  list.add_if_different("method", recorded.method, requested.method);
  list.add_if_different("path", recorded.path, requested.path);
  add_pair_differences(list, "query", recorded.query, requested.query);
  if (recorded.range != requested.range) {
    const auto side = [](const std::string& range) {
      return range.empty() ? std::nullopt : std::optional<std::string_view>(range);
    };
    list.add("header Range", side(recorded.range), side(requested.range));
  }
  add_body_differences(list, recorded, requested);
  return list.take();
}

std::string readable(std::string_view text, std::size_t bytes_max) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    std::string piece(text.substr(0, length));
    if (length == 0 || byte < 0x20 || byte == 0x7f) piece = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    if (out.size() + piece.size() > bytes_max) return out + "…";
    out += piece;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace tapedeck
