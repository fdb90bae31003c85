#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "config/result.hpp"

namespace tapedeck {

// Rules are data: one line of matching, redaction or rewriting. A profile's rules apply to its own hosts only.

// Where a secret stands. `json` and `form` are keys at any depth of a body; `query` also covers the query of URLs in
// Location headers; `header` names are compared without case; `path_segment` is the segment after the given prefix.
enum class SecretPlace { header, query, form, json };

enum class PlaceholderShape { tagged, uuid, jwt };  // {{tapedeck:CLASS}}, or a reserved UUID or JWT of that class

struct RedactionRule {
  SecretPlace place = SecretPlace::header;
  std::string key;                // lower-case; compared without case
  std::string placeholder_class;  // CLASS of the placeholder, [a-z0-9-]+
  PlaceholderShape shape = PlaceholderShape::tagged;
};

// Leaves something out of the match key. `method` and `path` narrow the rule when they are set; `path` may end in `*`.
struct MatchRule {
  enum class Kind { ignore_query, ignore_form, ignore_json };
  Kind kind = Kind::ignore_query;
  std::string key;  // for json: a bare key, at any depth
  std::string method;
  std::string path;
};

// Changes what is served, never what is kept.
struct RewriteRule {
  enum class Kind { json_number_at_least };
  Kind kind = Kind::json_number_at_least;
  std::string key;
  std::int64_t value = 0;
  std::string path;  // narrows the rule when set
};

struct Profile {
  std::string name;
  std::vector<std::string> hosts;  // globs, as --host takes them
  std::optional<UpstreamUrl> upstream;
  std::vector<RedactionRule> redaction;
  std::vector<MatchRule> matching;
  std::vector<RewriteRule> rewriting;
};

// Reads one profile from JSON text. `name_in_errors` is what the failure calls it (a file name).
Result<Profile> parse_profile(std::string_view json, std::string_view name_in_errors);

// A profile that is compiled in. Failure `profile-unknown` lists the names there are.
Result<Profile> load_profile(std::string_view name);

// `*.x.io` is any name below x.io but not x.io itself, `*` is every host; without `:PORT` any port. No case.
bool host_glob_matches(std::string_view glob, std::string_view host, std::uint16_t port);

}  // namespace tapedeck
