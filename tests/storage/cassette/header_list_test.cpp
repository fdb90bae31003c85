#include "storage/cassette/header_list.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;
using namespace std::string_literals;

namespace {

struct ListRow {
  const char* name;
  Headers headers;
  std::string bytes;
};

struct RefusedRow {
  const char* name;
  std::string bytes;
};

}  // namespace

TEST_CASE("A header list has these bytes") {
  const ListRow rows[] = {
      {"no fields", {}, ""},
      {"one field", {{"Host", "a"}}, "\x04Host\x01"s + "a"},
      {"empty value", {{"X", ""}}, "\x01X\x00"s},
      {"order, case and duplicates", {{"b", "1"}, {"B", "2"}, {"a", "3"}}, "\1b\1"s + "1\1B\1" + "2\1a\1" + "3"},
      {"bytes that are not UTF-8", {{"X", "\xe5\t"}}, "\x01X\x02\xe5\t"s},
      {"a length of two bytes", {{"X", std::string(300, 'v')}}, "\x01X\xac\x02"s + std::string(300, 'v')},
  };
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    CHECK(encode_headers(row.headers) == row.bytes);
    const auto decoded = decode_headers(row.bytes);
    REQUIRE(decoded.has_value());
    CHECK(*decoded == row.headers);
    CHECK(headers_fit(row.headers, row.bytes.size()));
    if (!row.bytes.empty()) CHECK_FALSE(headers_fit(row.headers, row.bytes.size() - 1));
  }
}

TEST_CASE("Fields fit into a list if they can be read from one") {
  const auto many = [](std::size_t count) {
    Headers headers;
    for (std::size_t i = 0; i < count; ++i) headers.add("X", "v");
    return headers;
  };
  const struct {
    const char* name;
    Headers headers;
    bool fits;
  } rows[] = {
      {"an empty name", {{"", "v"}}, false},
      {"a name with a colon", {{"X:", "v"}}, false},
      {"a name with a blank", {{"X ", "v"}}, false},
      {"a name with a line break", {{"X\n", "v"}}, false},
      {"a value with a carriage return", {{"X", "a\rb"}}, false},
      {"a value with a line feed", {{"X", "a\nb"}}, false},
      {"a value with a NUL", {{"X", std::string_view("a\0b", 3)}}, false},
      {"a value of 127 bytes", {{"X", std::string(127, 'v')}}, true},
      {"a value of 128 bytes", {{"X", std::string(128, 'v')}}, true},
      {"a value of 16384 bytes", {{"X", std::string(16384, 'v')}}, true},
      {"as many fields as may be", many(4096), true},
      {"one more", many(4097), false},
  };
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    const auto bytes = encode_headers(row.headers);
    CHECK(headers_fit(row.headers, bytes.size()) == row.fits);
    CHECK(decode_headers(bytes).has_value() == row.fits);
    CHECK_FALSE(headers_fit(row.headers, bytes.size() - 1));
  }
}

TEST_CASE("What is no header list is refused") {
  const RefusedRow rows[] = {
      {"a name that is cut off", "\x04Hos"s},
      {"no value", "\x04Host"s},
      {"a value that is cut off", "\x04Host\x02"s + "a"},
      {"a length that is cut off", "\xff"s},
      {"a length beyond all blobs", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s},
      {"a length in a longer form than needed", "\x81\x00X\x00"s},
      {"an empty name", "\x00\x01v"s},
      {"a name with a colon", "\x02X:\x00"s},
      {"a name with a blank", "\x02X \x00"s},
      {"a name with a line break", "\x02X\n\x00"s},
      {"a value with a carriage return", "\x01X\x01\r"s},
      {"a value with a line feed", "\x01X\x01\n"s},
      {"a value with a NUL", "\x01X\x01\x00"s},
  };
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    CHECK_FALSE(decode_headers(row.bytes).has_value());
  }
  std::string too_many;
  for (int i = 0; i < 4097; ++i) too_many += "\x01X\x00"s;
  CHECK_FALSE(decode_headers(too_many).has_value());
  CHECK(decode_headers(too_many.substr(3)).has_value());
}

TEST_CASE("A list of 1xx responses has these bytes and no others") {
  const std::vector<InterimResponse> responses{{100, "Continue", {}}, {103, "", {{"Link", "<a>"}}}};
  const auto bytes = "\x64\x08"s + "Continue" + "\x00"s + "\x67\x00\x09\x04Link\x03<a>"s;
  CHECK(encode_interim_responses(responses) == bytes);
  const auto decoded = decode_interim_responses(bytes);
  REQUIRE(decoded.has_value());
  REQUIRE(decoded->size() == 2);
  CHECK(decoded->at(0).reason == "Continue");
  CHECK(decoded->at(1).status == 103);
  CHECK(decoded->at(1).headers == responses[1].headers);

  for (std::size_t size = 1; size < bytes.size(); ++size) {
    CAPTURE(size);
    const bool is_one_whole_response = size == 11;
    CHECK(decode_interim_responses(bytes.substr(0, size)).has_value() == is_one_whole_response);
  }
  const RefusedRow rows[] = {
      {"a final status", "\xc8\x01\x00\x00"s},
      {"a status below 100", "\x63\x00\x00"s},
      {"a reason with a line break", "\x64\x01\n\x00"s},
      {"a malformed field", "\x64\x00\x01X"s},
  };
  for (const auto& row : rows) {
    INFO("row: ", std::string(row.name));
    CHECK_FALSE(decode_interim_responses(row.bytes).has_value());
  }
}
