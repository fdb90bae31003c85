#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "replay/matching/match_rules.hpp"
#include "replay/matching/multipart.hpp"
#include "storage/exchange/exchange.hpp"
#include "storage/redaction/coding_streams.hpp"

namespace tapedeck {

// The part of a match key that stands for the body (see MatchKey for what the fields hold).
struct BodyKey {
  std::string kind;
  std::string body;
};

// Looks at the body as it is without its content coding. A body that is not what its media type says, that cannot be
// decoded, or that is too large to take apart is compared byte by byte.
BodyKey body_key_of(const Request& request, const IgnoredKeys& ignored);

// The key of a body that is too large to be held, from what the redactor's stream handed out. Such a body is compared
// byte by byte without its content coding, or by its parts if it is a multipart one.
class BodyKeyStream {
 public:
  explicit BodyKeyStream(const Headers& request_headers);
  void add(std::string_view bytes);
  BodyKey finish();

 private:
  struct Digest {
    Sha256 sha256;
    std::uint64_t size = 0;
    void add(std::string_view bytes) {
      sha256.add(bytes);
      size += bytes.size();
    }
  };
  void add_text(std::string_view text);

  Digest bytes_;  // as they came, if the coding cannot be undone
  Digest text_;
  std::unique_ptr<ContentDecoder> decoder_;
  bool decodable_ = true;
  bool ended_ = false;
  std::optional<CanonicalMultipart> multipart_;
};

// "application/json" of "Application/JSON; charset=utf-8".
std::string media_type_of(std::string_view content_type);

}  // namespace tapedeck
