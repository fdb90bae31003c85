#include <charconv>

#include "config/profile.hpp"
#include "config/text.hpp"

namespace tapedeck {

bool host_glob_matches(std::string_view glob, std::string_view host, std::uint16_t port) {
  // A colon before a closing bracket, or one of several without brackets, belongs to an IPv6 address.
  const std::size_t colon = glob.rfind(':');
  const std::size_t bracket = glob.rfind(']');
  const bool has_port = colon != std::string_view::npos &&
                        (bracket == std::string_view::npos ? glob.find(':') == colon : colon > bracket);
  if (has_port) {
    const std::string_view digits = glob.substr(colon + 1);
    std::uint16_t wanted = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
    if (error != std::errc{} || end != digits.data() + digits.size() || wanted != port) return false;
    glob = glob.substr(0, colon);
  }
  if (glob == "*") return true;

  const auto without_brackets = [](std::string_view name) {
    return name.size() > 2 && name.front() == '[' && name.back() == ']' ? name.substr(1, name.size() - 2) : name;
  };
  std::string name = lower_case(without_brackets(host));
  if (!name.empty() && name.back() == '.') name.pop_back();
  const std::string wanted = lower_case(without_brackets(glob));
  if (wanted.compare(0, 2, "*.") != 0) return !name.empty() && name == wanted;
  const std::string_view suffix = std::string_view(wanted).substr(1);
  return name.size() > suffix.size() && std::string_view(name).substr(name.size() - suffix.size()) == suffix;
}

}  // namespace tapedeck
