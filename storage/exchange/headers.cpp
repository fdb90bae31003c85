#include "storage/exchange/headers.hpp"

#include <algorithm>

namespace tapedeck {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool list_value_contains(std::string_view value, std::string_view token) {
  while (true) {
    const auto comma = value.find(',');
    if (equal_without_case(trimmed(value.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    value.remove_prefix(comma + 1);
  }
}

Headers::Headers(std::initializer_list<HeaderView> fields) {
  for (const auto& field : fields) add(field.name, field.value);
}

HeaderView Headers::operator[](std::size_t index) const {
  const auto& at = positions_[index];
  const std::string_view text = text_;
  return {text.substr(at.name_at, at.name_size), text.substr(at.value_at, at.value_size)};
}

void Headers::reserve(std::size_t fields, std::size_t bytes) {
  positions_.reserve(fields);
  text_.reserve(bytes);
}

void Headers::add(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  text_.append(name).append(value);
  positions_.push_back({at, static_cast<std::uint32_t>(name.size()), at + static_cast<std::uint32_t>(name.size()),
                        static_cast<std::uint32_t>(value.size())});
}

// The old value must not stay in the text behind the new one: it may be the secret that is being taken out.
void Headers::set_value(std::size_t index, std::string_view value) {
  Headers changed;
  changed.reserve(size(), text_.size() + value.size());
  for (std::size_t i = 0; i < size(); ++i) changed.add((*this)[i].name, i == index ? value : (*this)[i].value);
  *this = std::move(changed);
}

void Headers::remove(std::string_view name) {
  if (!contains(name)) return;
  Headers kept;
  for (std::size_t i = 0; i < size(); ++i) {
    if (const auto field = (*this)[i]; !equal_without_case(field.name, name)) kept.add(field.name, field.value);
  }
  *this = std::move(kept);
}

void Headers::clear() {
  text_.clear();
  positions_.clear();
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (const auto field = (*this)[i]; equal_without_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

bool Headers::list_contains(std::string_view name, std::string_view token) const {
  for (std::size_t i = 0; i < size(); ++i) {
    const auto field = (*this)[i];
    if (equal_without_case(field.name, name) && list_value_contains(field.value, token)) return true;
  }
  return false;
}

bool operator==(const Headers& left, const Headers& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].name != right[i].name || left[i].value != right[i].value) return false;
  }
  return true;
}

}  // namespace tapedeck
