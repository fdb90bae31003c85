#include "config/strict_json.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/text.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t text_bytes_max = 1024 * 1024;
constexpr int depth_max = 32;

std::size_t line_of(std::string_view text, std::size_t byte) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + std::min(byte, text.size()), '\n'));
}

Failure broken(std::string_view name, std::string_view what) {
  return {"config-broken", Blame::us, std::string(name) + ": " + std::string(what)};
}

}  // namespace

Result<void> parse_strict_json(std::string_view text, std::string_view name_in_errors, nlohmann::json& into) {
  if (text.size() > text_bytes_max) return broken(name_in_errors, "is larger than 1 MiB; is it the right file?");
  std::vector<std::set<std::string>> keys_open;
  std::string duplicate;
  bool too_deep = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > depth_max) too_deep = true;
    if (event == Event::object_start) keys_open.emplace_back();
    if (event == Event::object_end) keys_open.pop_back();
    if (event == Event::key && !keys_open.back().insert(parsed.get<std::string>()).second && duplicate.empty()) {
      duplicate = parsed.get<std::string>();
    }
    return true;
  };
  try {
    into = nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::parse_error& error) {
    return broken(name_in_errors, "line " + std::to_string(line_of(text, error.byte)) + " is not JSON; mend it there");
  }
  if (too_deep) return broken(name_in_errors, "is nested too deeply; flatten it");
  if (!duplicate.empty()) return broken(name_in_errors, "has the key " + in_quotes(duplicate) + " twice; keep one");
  if (!into.is_object()) return broken(name_in_errors, "must hold one JSON object: write {…}");
  return {};
}

Result<void> check_keys(const nlohmann::json& object, std::span<const std::string_view> known,
                        const std::string& where) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    const auto near = nearest_word(item.key(), known);
    return Failure{"config-unknown-key", Blame::us,
                   where + ": there is no key " + in_quotes(item.key()) +
                       (near ? "; did you mean \"" + std::string(*near) + "\"?" : "; there are " + joined_list(known))};
  }
  return {};
}

}  // namespace tapedeck
