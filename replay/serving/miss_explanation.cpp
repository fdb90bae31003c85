#include "replay/serving/miss_explanation.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "replay/serving/miss_suggestion.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t scored_max = 20'000;  // candidates that are weighed at all
constexpr std::size_t compared_max = 16;    // of these, how many are compared field by field
constexpr std::size_t nearest_max = 3;      // of these, how many are told
constexpr std::size_t names_told_max = 3;
constexpr std::size_t request_line_bytes_max = 2000;

// A key text cut into its fields, without undoing escapes: equal fields have equal lines.
struct KeyLines {
  std::string_view origin;
  std::string_view path;
  std::string_view method;
  std::vector<std::string_view> query;
  std::string_view range;
  std::string_view body;  // kind and body
};

KeyLines lines_of(std::string_view text) {
  const auto next_line = [&text] {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
  };
  KeyLines lines;
  lines.origin = next_line();
  lines.path = next_line();
  lines.method = next_line();
  while (text.starts_with("query ")) lines.query.push_back(next_line());
  lines.range = next_line();
  lines.body = text;
  return lines;
}

// How many segments of two paths differ, position by position.
int segments_apart(std::string_view left, std::string_view right) {
  int apart = 0;
  while (!left.empty() || !right.empty()) {
    const auto left_segment = left.substr(0, left.find('/'));
    const auto right_segment = right.substr(0, right.find('/'));
    if (left_segment != right_segment) ++apart;
    left.remove_prefix(std::min(left_segment.size() + 1, left.size()));
    right.remove_prefix(std::min(right_segment.size() + 1, right.size()));
  }
  return apart;
}

int pairs_apart(const std::vector<std::string_view>& left, const std::vector<std::string_view>& right) {
  int apart = 0;
  auto l = left.begin();
  auto r = right.begin();
  while (l != left.end() || r != right.end()) {
    if (l != left.end() && r != right.end() && *l == *r) {
      ++l;
      ++r;
    } else {
      ++apart;
      if (r == right.end() || (l != left.end() && *l < *r)) {
        ++l;
      } else {
        ++r;
      }
    }
  }
  return apart;
}

struct Candidate {
  const KeyedRecordings* recordings = nullptr;
  int structure = 0;             // weight of another origin, path or method
  int details = 0;               // weight of all else
  std::size_t shared_bytes = 0;  // how far the key texts agree: tells bodies apart that only differ somewhere
};

Candidate weigh(const KeyedRecordings& recordings, std::string_view text, std::string_view requested_text,
                const KeyLines& requested) {
  const auto recorded = lines_of(text);
  Candidate candidate{&recordings};
  if (recorded.origin != requested.origin) candidate.structure += 100'000;
  if (recorded.path != requested.path) candidate.structure += 100 + 10 * segments_apart(recorded.path, requested.path);
  if (recorded.method != requested.method) candidate.structure += 5;
  candidate.details = pairs_apart(recorded.query, requested.query) + (recorded.range == requested.range ? 0 : 1) +
                      (recorded.body == requested.body ? 0 : 1);
  const auto [end, other] = std::mismatch(text.begin(), text.end(), requested_text.begin(), requested_text.end());
  candidate.shared_bytes = static_cast<std::size_t>(end - text.begin());
  return candidate;
}

NearRecording near_recording(const RecordingIndex& index, const Recording& recording, const MatchKey& recorded_key,
                             const MatchKey& requested) {
  NearRecording near;
  near.exchange_id = recording.row.exchange_id;
  near.take_ordinal = recording.row.take_ordinal;
  near.recorded_at_us = recording.row.recorded_at_us;
  near.session = index.session_of(recording);
  near.used = recording.uses->load(std::memory_order_relaxed);
  near.request_line = readable(recorded_key.request_line(), request_line_bytes_max);
  near.differences = differences_between(recorded_key, requested);
  return near;
}

// Of each candidate key the recording that would be served first. Other paths and methods are told only when nothing
// was recorded for this one.
std::vector<NearRecording> nearest_to(const RecordingIndex& index, const MatchKey& key, std::string_view prefix) {
  const auto text = key.text();
  const auto requested = lines_of(text);
  std::vector<Candidate> candidates;
  for (const auto* recordings : index.keys_around(text, prefix, scored_max)) {
    candidates.push_back(weigh(*recordings, index.text_of(*recordings), text, requested));
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& left, const Candidate& right) {
    return std::tie(left.structure, left.details, right.shared_bytes) <
           std::tie(right.structure, right.details, left.shared_bytes);
  });
  candidates.resize(std::min(candidates.size(), compared_max));

  std::vector<std::tuple<int, std::size_t, NearRecording>> compared;
  for (const auto& candidate : candidates) {
    if (candidates.front().structure == 0 && candidate.structure > 0) break;
    const auto first = index.recordings_of(*candidate.recordings)[0];
    auto near = near_recording(index, first, MatchKey::of_text(index.text_of(*candidate.recordings)), key);
    const auto count = near.differences.size();
    compared.emplace_back(candidate.structure, count, std::move(near));
  }
  std::stable_sort(compared.begin(), compared.end(), [](const auto& left, const auto& right) {
    return std::tie(std::get<0>(left), std::get<1>(left)) < std::tie(std::get<0>(right), std::get<1>(right));
  });
  std::vector<NearRecording> nearest;
  for (auto& [structure, count, near] : compared) {
    if (nearest.size() < nearest_max) nearest.push_back(std::move(near));
  }
  return nearest;
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  std::size_t told = 0;
  for (const auto& name : names) {
    if (told == names_told_max) return text + " and " + std::to_string(names.size() - told) + " more";
    text += (told++ == 0 ? "" : ", ") + readable(name);
  }
  return text;
}

std::set<std::string> methods_of(const RecordingIndex& index, const MatchKey& key) {
  std::set<std::string> methods;
  const auto prefix = key_text_prefix(key, SharedFields::origin_and_path);
  for (const auto* recordings : index.keys_around(prefix, prefix, scored_max)) {
    constexpr std::string_view name = "method ";
    const auto line = lines_of(index.text_of(*recordings)).method;
    if (line.starts_with(name)) methods.insert(std::string(line.substr(name.size())));
  }
  return methods;
}

std::string told_difference(const FieldDifference& difference) {
  const auto side = [](bool present, const std::string& text) -> std::string {
    if (!present) return "nothing";
    return text.empty() ? "\"\"" : text;
  };
  return difference.field + " (recorded " + side(difference.recorded_present, difference.recorded) + ", requested " +
         side(difference.requested_present, difference.requested) + ")";
}

std::string detail_of_difference(const MissReport& report, const MatchKey& key) {
  const auto place = readable(key.method + " " + key.origin + key.path);
  if (report.nearest.empty()) return "No recording of " + place + " equals this request.";
  const auto& differences = report.nearest.front().differences;
  if (differences.empty()) {
    return "What is recorded for " + place +
           " answers only conditional or range requests (304, 412, 206), and this is none.";
  }
  std::string text = "The nearest recording of " + place + " differs in " + told_difference(differences.front());
  if (differences.size() > 1) text += " and " + std::to_string(differences.size() - 1) + " more";
  return text + ".";
}

std::string detail_for(const MissReport& report, const RecordingIndex& index, const MatchKey& key) {
  switch (report.reason) {
    case MissReason::empty_cassette:
      return "The cassette holds no recordings.";
    case MissReason::no_host:
      return "Nothing is recorded for " + readable(key.origin) + ". Recorded: " + listed(index.origins()) + ".";
    case MissReason::no_path: {
      std::string text = "Nothing is recorded for the path " + readable(key.path) + " of " + readable(key.origin);
      if (!report.nearest.empty()) text += "; the nearest is " + report.nearest.front().request_line;
      return text + ".";
    }
    case MissReason::no_method:
      return readable(key.method) + " is not recorded for " + readable(key.origin + key.path) + ", only " +
             listed(methods_of(index, key)) + ".";
    case MissReason::exhausted:
      return "Every recording of " + readable(key.method + " " + key.origin + key.path) +
             " was served already, and --sequence error lets none repeat.";
    default:
      return detail_of_difference(report, key);
  }
}

bool answers_anything(const Recording& recording) {
  return is_eligible(recording.row.status, RequestConditions{});
}

MissReason reason_for(const RecordingIndex& index, SequencePolicy policy, const MatchKey& key) {
  if (index.exchange_count() == 0) return MissReason::empty_cassette;
  if (const auto* found = index.find(key.text())) {
    if (policy != SequencePolicy::error) return MissReason::differs;
    const auto all = index.recordings_of(*found);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto recording = all[i];
      if (answers_anything(recording) || recording.uses->load(std::memory_order_relaxed) > 0) {
        return MissReason::exhausted;
      }
    }
    return MissReason::differs;
  }
  const auto any_with = [&](SharedFields shared) {
    const auto prefix = key_text_prefix(key, shared);
    return !index.keys_around(prefix, prefix, 1).empty();
  };
  if (!any_with(SharedFields::origin)) return MissReason::no_host;
  if (!any_with(SharedFields::origin_and_path)) return MissReason::no_path;
  if (!any_with(SharedFields::origin_path_and_method)) return MissReason::no_method;
  return MissReason::differs;
}

// The recordings that were served already, newest first.
std::vector<NearRecording> used_up(const RecordingIndex& index, const MatchKey& key) {
  std::vector<NearRecording> nearest;
  const auto* found = index.find(key.text());
  if (found == nullptr) return nearest;
  const auto all = index.recordings_of(*found);
  for (auto i = all.size(); i-- > 0 && nearest.size() < nearest_max;) {
    nearest.push_back(near_recording(index, all[i], key, key));
  }
  return nearest;
}

}  // namespace

MissReport explain_miss(const RecordingIndex& index, SequencePolicy policy, const MatchKey& key,
                        std::string_view request_line) {
  MissReport report;
  report.reason = reason_for(index, policy, key);
  report.request_line = readable(request_line, request_line_bytes_max);
  switch (report.reason) {
    case MissReason::empty_cassette:
      break;
    case MissReason::exhausted:
      report.nearest = used_up(index, key);
      break;
    case MissReason::no_host:
      report.nearest = nearest_to(index, key, {});
      break;
    default:
      report.nearest = nearest_to(index, key, key_text_prefix(key, SharedFields::origin));
      break;
  }
  report.suggestion = suggestion_for(report);
  report.detail = detail_for(report, index, key);
  return report;
}

}  // namespace tapedeck
