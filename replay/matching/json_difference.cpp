#include "replay/matching/json_difference.hpp"

#include <algorithm>

#include "replay/matching/json_document.hpp"

namespace tapedeck {

namespace {

bool is_plain_key(std::string_view key) {
  if (key.empty() || (key[0] >= '0' && key[0] <= '9')) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
}

// Paths are for reading, and a text of many long keys must not cost their product.
constexpr std::size_t path_key_bytes_max = 100;

std::string member_path(const std::string& path, std::string_view key) {
  key = key.substr(0, path_key_bytes_max);
  if (is_plain_key(key)) return path + "." + std::string(key);
  std::string quoted;
  for (const char c : key) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return path + "[\"" + quoted + "\"]";
}

class Walk {
 public:
  Walk(const JsonDocument& left, const JsonDocument& right, const std::function<void(const JsonDifference&)>& visit)
      : left_(left), right_(right), visit_(visit) {}

  void compare(const std::string& path, std::size_t left, std::size_t right) const {
    const auto kind = left_.kind(left);
    if (kind == right_.kind(right) && kind == JsonToken::Kind::object_begin) {
      compare_objects(path, left, right);
    } else if (kind == right_.kind(right) && kind == JsonToken::Kind::array_begin) {
      compare_arrays(path, left, right);
    } else {
      visit_({path, true, left_.text(left), true, right_.text(right)});
    }
  }

 private:
  // Canonical texts are equal exactly when the values are, so whole equal branches are passed over.
  bool equal(std::size_t left, std::size_t right) const { return left_.text(left) == right_.text(right); }

  void only_left(const std::string& path, std::size_t node) const { visit_({path, true, left_.text(node), false, {}}); }
  void only_right(const std::string& path, std::size_t node) const {
    visit_({path, false, {}, true, right_.text(node)});
  }

  void compare_objects(const std::string& path, std::size_t left, std::size_t right) const {
    const auto left_members = left_.members(left);
    const auto right_members = right_.members(right);
    auto l = left_members.begin();
    auto r = right_members.begin();
    while (l != left_members.end() || r != right_members.end()) {
      if (r == right_members.end() || (l != left_members.end() && l->key < r->key)) {
        only_left(member_path(path, l->key), l->value);
        ++l;
      } else if (l == left_members.end() || r->key < l->key) {
        only_right(member_path(path, r->key), r->value);
        ++r;
      } else {
        if (!equal(l->value, r->value)) compare(member_path(path, l->key), l->value, r->value);
        ++l;
        ++r;
      }
    }
  }

  void compare_arrays(const std::string& path, std::size_t left, std::size_t right) const {
    const auto left_elements = left_.elements(left);
    const auto right_elements = right_.elements(right);
    for (std::size_t i = 0; i < std::max(left_elements.size(), right_elements.size()); ++i) {
      const bool both = i < left_elements.size() && i < right_elements.size();
      if (both && equal(left_elements[i], right_elements[i])) continue;
      const auto element_path = path + "[" + std::to_string(i) + "]";
      if (i >= right_elements.size()) {
        only_left(element_path, left_elements[i]);
      } else if (i >= left_elements.size()) {
        only_right(element_path, right_elements[i]);
      } else {
        compare(element_path, left_elements[i], right_elements[i]);
      }
    }
  }

  const JsonDocument& left_;
  const JsonDocument& right_;
  const std::function<void(const JsonDifference&)>& visit_;
};

}  // namespace

bool for_each_json_difference(std::string_view left, std::string_view right,
                              const std::function<void(const JsonDifference&)>& visit) {
  const auto left_document = JsonDocument::parse(left);
  const auto right_document = JsonDocument::parse(right);
  if (!left_document || !right_document) return false;
  if (left == right) return true;
  Walk(*left_document, *right_document, visit).compare("$", JsonDocument::root, JsonDocument::root);
  return true;
}

}  // namespace tapedeck
