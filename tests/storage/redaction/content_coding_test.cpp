#include "storage/redaction/content_coding.hpp"

#include <random>
#include <string>

#include <doctest/doctest.h>
#include <zlib.h>

using namespace tapedeck;

namespace {

constexpr std::size_t plenty = 1 << 24;
constexpr ContentCoding all_codings[] = {ContentCoding::identity, ContentCoding::gzip, ContentCoding::deflate,
                                         ContentCoding::br, ContentCoding::zstd};

std::string noise(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(bytes, '\0');
  for (auto& c : text) c = static_cast<char>(random());
  return text;
}

std::string raw_deflate(std::string text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string coded(deflateBound(&stream, text.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_out = static_cast<uInt>(coded.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  coded.resize(stream.total_out);
  deflateEnd(&stream);
  return coded;
}

std::string code_of(const Result<std::string>& result) {
  return result.has_error() ? result.error().code : "";
}

}  // namespace

TEST_CASE("names of content codings") {
  struct Row {
    std::string value;
    std::optional<ContentCoding> coding;
  };
  const Row rows[] = {
      {"", ContentCoding::identity},       {"identity", ContentCoding::identity},
      {"gzip", ContentCoding::gzip},       {"GZIP", ContentCoding::gzip},
      {"x-gzip", ContentCoding::gzip},     {" gzip\t", ContentCoding::gzip},
      {"deflate", ContentCoding::deflate}, {"br", ContentCoding::br},
      {"Zstd", ContentCoding::zstd},       {"gzip, gzip", std::nullopt},
      {"compress", std::nullopt},          {"gzipp", std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    CHECK(content_coding_of(row.value) == row.coding);
  }
}

TEST_CASE("what is coded comes back, and is coded in one way only") {
  const std::string texts[] = {
      "", "a", "{\"namn\":\"åäö\"}", std::string(1'000'000, 'x'), noise(100'000, 7), noise(16 * 1024, 8)};
  for (const auto coding : all_codings) {
    for (const auto& text : texts) {
      CAPTURE(static_cast<int>(coding));
      CAPTURE(text.size());
      const auto coded = encode_content(coding, text);
      CHECK(coded == encode_content(coding, text));
      const auto decoded = decode_content(coding, coded, plenty);
      REQUIRE(decoded.has_value());
      CHECK(*decoded == text);
    }
  }
}

TEST_CASE("gzip carries no time stamp") {
  const auto coded = encode_content(ContentCoding::gzip, "text");
  CHECK(coded.substr(4, 4) == std::string(4, '\0'));
}

TEST_CASE("deflate is read without its zlib wrapper too") {
  for (const auto& text : {std::string(), std::string("{\"a\":1}"), std::string(100'000, 'y'), noise(50'000, 3)}) {
    CAPTURE(text.size());
    const auto decoded = decode_content(ContentCoding::deflate, raw_deflate(text), plenty);
    REQUIRE(decoded.has_value());
    CHECK(*decoded == text);
  }
}

TEST_CASE("gzip of several members is one text") {
  const auto coded = encode_content(ContentCoding::gzip, "one ") + encode_content(ContentCoding::gzip, "") +
                     encode_content(ContentCoding::gzip, "two");
  CHECK(decode_content(ContentCoding::gzip, coded, plenty).value() == "one two");
}

TEST_CASE("damage is an error") {
  const std::string text = "{\"name\":\"" + noise(300, 5) + "\"}";
  const auto gzip = encode_content(ContentCoding::gzip, text);
  const auto zlib = encode_content(ContentCoding::deflate, text);
  auto bad_check = gzip;
  bad_check[bad_check.size() - 5] ^= 1;
  auto bad_middle = zlib;
  bad_middle[zlib.size() - 2] ^= 0x55;
  struct Row {
    std::string name;
    ContentCoding coding;
    std::string bytes;
  };
  const Row rows[] = {
      {"nothing", ContentCoding::gzip, ""},
      {"nothing deflated", ContentCoding::deflate, ""},
      {"plain text", ContentCoding::gzip, "{\"a\":1}"},
      {"garbage behind", ContentCoding::gzip, gzip + "x"},
      {"zeros behind", ContentCoding::gzip, gzip + std::string(8, '\0')},
      {"half a second member", ContentCoding::gzip, gzip + gzip.substr(0, 12)},
      {"garbage behind zlib", ContentCoding::deflate, zlib + "x"},
      {"garbage behind raw", ContentCoding::deflate, raw_deflate(text) + "x"},
      {"wrong check value", ContentCoding::gzip, bad_check},
      {"wrong Adler value", ContentCoding::deflate, bad_middle},
      {"coded as gzip, called deflate", ContentCoding::deflate, gzip},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(code_of(decode_content(row.coding, row.bytes, plenty)) == "body-undecodable");
  }
  for (std::size_t i = 0; i < gzip.size(); ++i) {
    CAPTURE(i);
    CHECK(code_of(decode_content(ContentCoding::gzip, gzip.substr(0, i), plenty)) == "body-undecodable");
  }
  for (std::size_t i = 0; i < zlib.size(); ++i) {
    CAPTURE(i);
    CHECK(code_of(decode_content(ContentCoding::deflate, zlib.substr(0, i), plenty)) == "body-undecodable");
  }
}

TEST_CASE("a bomb stops at the limit") {
  const std::string text(1 << 20, '0');
  for (const auto coding : all_codings) {
    CAPTURE(static_cast<int>(coding));
    const auto coded = encode_content(coding, text);
    CHECK(decode_content(coding, coded, text.size()).has_value());
    CHECK(code_of(decode_content(coding, coded, text.size() - 1)) == "body-too-large");
    CHECK(code_of(decode_content(coding, coded, 0)) == "body-too-large");
  }
}

TEST_CASE("what was cut is read as far as it goes, and can be coded as cut again") {
  const std::string text = "{\"a\":\"" + std::string(1000, 'b') + "\",\"c\":\"" + noise(400'000, 9) + "\"}";
  for (const auto coding : {ContentCoding::gzip, ContentCoding::deflate, ContentCoding::br, ContentCoding::zstd}) {
    CAPTURE(static_cast<int>(coding));
    const auto coded = encode_content(coding, text);
    const auto half = decode_content_prefix(coding, coded.substr(0, coded.size() / 2), plenty);
    CHECK(half.end == DecodedPrefix::End::cut);
    CHECK(half.text.size() > 100);
    CHECK(text.starts_with(half.text));
    const auto again = decode_content_prefix(coding, encode_content(coding, half.text, CodedEnd::open), plenty);
    CHECK(again.end == DecodedPrefix::End::cut);
    CHECK(again.text == half.text);
  }
}
