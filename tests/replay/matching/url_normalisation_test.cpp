#include "replay/matching/url_normalisation.hpp"

#include <random>

#include <doctest/doctest.h>

namespace tapedeck {

TEST_CASE("paths are normalised as RFC 3986 says") {
  struct Row {
    std::string name;
    std::string_view path;
    const char* normalised;
  };
  const Row rows[] = {
      {"empty is the root", "", "/"},
      {"the whole origin", "*", "*"},
      {"plain", "/company/1.0/company-overview", "/company/1.0/company-overview"},
      {"unreserved characters need no escape", "/%7euser/%41%2D%5f", "/~user/A-_"},
      {"escapes in upper case", "/a%2fb%c3%a5", "/a%2Fb%C3%A5"},
      {"raw and escaped letters are equal", "/\xc3\xa5", "/%C3%A5"},
      {"an escaped reserved character is not the character", "/a%2Cb,c", "/a%2Cb,c"},
      {"brackets and spaces are escaped", "/a[0] b", "/a%5B0%5D%20b"},
      {"a dot segment", "/a/./b", "/a/b"},
      {"two dots", "/a/b/../c", "/a/c"},
      {"escaped dots", "/a/%2e%2E/c", "/c"},
      {"above the root", "/../../a", "/a"},
      {"dots at the end leave a slash", "/a/b/..", "/a/"},
      {"one dot at the end", "/a/.", "/a/"},
      {"only dots", "/..", "/"},
      {"names that begin with dots", "/.../..a", "/.../..a"},
      {"a trailing slash stays", "/a/", "/a/"},
      {"double slashes stay", "//a//b//", "//a//b//"},
      {"an empty segment is one that .. takes away", "/a//../b", "/a/b"},
      {"a lone percent", "/100%", "/100%25"},
      {"half an escape", "/a%4", "/a%254"},
      {"no escape", "/a%zz", "/a%25zz"},
      {"a plus is a plus", "/a+b", "/a+b"},
      {"a zero byte", std::string_view("/a\0b", 4), "/a%00b"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(normalised_path(row.path) == row.normalised);
    CHECK(normalised_path(normalised_path(row.path)) == row.normalised);
  }
}

TEST_CASE("pairs are a sorted multiset, coded in one way") {
  using Pairs = std::vector<std::string>;
  struct Row {
    std::string name;
    std::string_view text;
    Pairs pairs;
  };
  const Row rows[] = {
      {"none", "", {}},
      {"sorted", "b=2&a=1", {"a=1", "b=2"}},
      {"repeated keys, sorted by value, all kept", "k=9&k=8&k=8", {"k=8", "k=8", "k=9"}},
      {"plus and %20 are a space", "q=a+b&r=a%20b", {"q=a%20b", "r=a%20b"}},
      {"an escaped plus is a plus", "q=a%2Bb", {"q=a%2Bb"}},
      {"brackets", "a%5B%5D=1&a[]=2", {"a[]=1", "a[]=2"}},
      {"an escaped separator stays one", "a=1%262&b%3d=3", {"a=1%262", "b%3D=3"}},
      {"more equals signs belong to the value", "a=b=c", {"a=b%3Dc"}},
      {"letters", "n=\xc3\xa5&m=%c3%a5", {"m=%C3%A5", "n=%C3%A5"}},
      {"no value is not the empty value", "a&b=", {"a", "b="}},
      {"no key", "=x", {"=x"}},
      {"empty pieces are dropped", "&&a=1&", {"a=1"}},
      {"a lone percent", "a=100%&b=%4&c=%zz", {"a=100%25", "b=%254", "c=%25zz"}},
      {"placeholders stay readable", "api_key={{tapedeck:api-key}}", {"api_key={{tapedeck:api-key}}"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(normalised_pairs(row.text) == row.pairs);
  }
}

TEST_CASE("a pair is decoded to what was meant") {
  const auto pair = decoded_pair("a%26=1%3D%20b");
  CHECK(pair.key == "a&");
  CHECK(pair.has_value);
  CHECK(pair.value == "1= b");
  CHECK_FALSE(decoded_pair("a").has_value);
  CHECK(decoded_pair("a=").has_value);
}

TEST_CASE("any bytes are taken, and coding them again changes nothing") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    const std::string_view alphabet("%2eE/.&=+a\xc3\xa5\0 ?", 16);
    for (auto size = random() % 24; size > 0; --size) {
      bytes += random() % 4 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
    }
    CAPTURE(bytes);
    const auto path = normalised_path("/" + bytes);
    CHECK(normalised_path(path) == path);
    std::string joined;
    const auto pairs = normalised_pairs(bytes);
    for (const auto& pair : pairs) joined += (joined.empty() ? "" : "&") + pair;
    CHECK(normalised_pairs(joined) == pairs);
  }
}

}  // namespace tapedeck
