#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck {

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// ASCII comparison without case, as field names are compared (RFC 9110 §5.1).
bool equal_without_case(std::string_view left, std::string_view right);

// The fields of a message in their order, with their case and their duplicates. One flat text and a list of positions,
// so that a head costs two allocations however many fields it has. Views are valid until the next change.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<HeaderView> fields);

  std::size_t size() const { return positions_.size(); }
  bool empty() const { return positions_.empty(); }
  std::size_t text_bytes() const { return text_.size(); }  // of all names and values
  HeaderView operator[](std::size_t index) const;

  // Room for as many fields of as many bytes as will be added, so that adding them allocates nothing.
  void reserve(std::size_t fields, std::size_t bytes);
  void add(std::string_view name, std::string_view value);
  void set_value(std::size_t index, std::string_view value);
  void remove(std::string_view name);  // all of that name
  void clear();

  // The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }

  // Whether a comma-separated list field has `token`, over all fields of the name, without case.
  bool list_contains(std::string_view name, std::string_view token) const;

  friend bool operator==(const Headers& left, const Headers& right);

 private:
  struct Position {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::string text_;
  std::vector<Position> positions_;
};

// Whether the comma-separated list `value` has `token`, without case.
bool list_value_contains(std::string_view value, std::string_view token);

}  // namespace tapedeck
