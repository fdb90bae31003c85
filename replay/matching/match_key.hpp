#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/profile.hpp"
#include "replay/matching/body_key.hpp"
#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// The canonical form of a request, by which a recording is found. A function of the rules and this one request. Its
// fields stay apart, so that a near miss can name the one that differs.
struct MatchKey {
  std::string origin;  // Origin::text()
  std::string method;
  std::string path;                // normalised (RFC 3986 §6.2.2), dot segments removed, trailing slash significant
  std::vector<std::string> query;  // "key=value", decoded and coded again in one way, sorted: a multiset
  std::string range;               // value of the Range field
  std::string body_kind;           // "", "json", "form", "multipart", "bytes", "unfinished"
  std::string body;                // canonical JSON, form pairs or parts up to 64 KiB; else "sha256 …, N bytes"

  // One line a field, in the order origin, path, method, query, range, body; equal texts mean equal keys, and no two
  // different keys have the same text. Texts that agree in their first fields begin alike.
  std::string text() const;
  // The key of such a request whose body was not whole when it was answered: whatever the body was to be.
  MatchKey with_unfinished_body() const;
  // The key of a text that text() gave.
  static MatchKey of_text(std::string_view text);

  // "GET https://api.roaring.io/path?query", in the canonical form.
  std::string request_line() const;

  friend bool operator==(const MatchKey&, const MatchKey&) = default;
};

// The beginning that the texts of all keys with the same origin, path or method have in common.
enum class SharedFields { origin, origin_and_path, origin_path_and_method };
std::string key_text_prefix(const MatchKey& key, SharedFields shared);

// Counts the ways in which keys have been made. Whoever keeps keys beyond a run keeps this with them; a change of any
// code that shapes a key raises it.
inline constexpr int match_key_version = 1;

// Derives keys. `request` has passed the redactor; `profiles` give the rules of the request's host. Immutable.
class MatchKeyMaker {
 public:
  explicit MatchKeyMaker(std::vector<Profile> profiles);
  MatchKey make(const Request& request) const;
  // Of a request whose body is too large to be held and has been made a key of by itself.
  MatchKey make(const Request& request, BodyKey long_body) const;
  // A text of all rules that keys depend on: makers with equal texts make equal keys.
  std::string rules_text() const;

 private:
  MatchKey make_without_body(const Request& request, IgnoredKeys& ignored) const;

  std::vector<Profile> profiles_;
};

}  // namespace tapedeck
