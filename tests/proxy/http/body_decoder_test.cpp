#include "proxy/http/body_decoder.hpp"

#include <doctest/doctest.h>

#include "tests/proxy/http/http_transcripts.hpp"
#include "tests/support/splits.hpp"

using namespace tapedeck;
using namespace std::string_literals;

namespace {

struct Row {
  std::string name;
  std::string bytes;
  std::string outcome;
};

void check_chunked(const std::vector<Row>& rows, const Limits& limits = {}) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    for (const auto& pieces : splits_of(row.bytes)) {
      const auto split = text_of(pieces);
      CAPTURE(split);
      CHECK(read_pieces({BodyFraming::chunked, 0}, pieces, limits) == row.outcome);
    }
  }
}

}  // namespace

TEST_CASE("chunked bodies that are taken") {
  check_chunked({
      {"empty", "0\r\n\r\n", "'' end"},
      {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "'hello' end"},
      {"three chunks", "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "'abcdef' end"},
      {"hexadecimal in both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "'01234567890123456789' end"},
      {"leading zeros", "0000000000000005\r\nhello\r\n000\r\n\r\n", "'hello' end"},
      {"data that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "'0\r\n\r\n\r\n' end"},
      {"NUL in data", "3\r\na\0b\r\n0\r\n\r\n"s, "'a\0b' end"s},
      {"extension", "5;a\r\nhello\r\n0\r\n\r\n", "'hello' end"},
      {"extensions with values", "5;a=b;c=\"d\\\"; \\\\e\tå\";f\r\nhello\r\n0;z=1\r\n\r\n", "'hello' end"},
      {"empty quoted value", "5;a=\"\"\r\nhello\r\n0\r\n\r\n", "'hello' end"},
      {"trailers", "1\r\na\r\n0\r\nDigest: x\r\nx-b:  c \r\n\r\n", "'a' end |Digest=x| |x-b=c|"},
      {"UTF-8 in a trailer", "0\r\nA: åäö\r\n\r\n", "'' end |A=åäö|"},
      {"the next message follows", "1\r\na\r\n0\r\n\r\nHTTP/1.1", "'a' end +8"},
      {"not ended", "5\r\nhello\r\n", "'hello' need more"},
      {"in the middle of a chunk", "5\r\nhel", "'hel' need more"},
      {"before the last LF", "0\r\n\r", "'' need more"},
  });
}

TEST_CASE("chunked bodies that are refused") {
  check_chunked({
      {"no size", "\r\nhello\r\n0\r\n\r\n", "'' bad-chunk-size"},
      {"not a number", "g\r\n", "'' bad-chunk-size"},
      {"plus", "+5\r\nhello\r\n", "'' bad-chunk-size"},
      {"minus", "-5\r\nhello\r\n", "'' bad-chunk-size"},
      {"0x", "0x5\r\nhello\r\n", "'' bad-chunk-size"},
      {"underscore", "1_0\r\n", "'' bad-chunk-size"},
      {"space before", " 5\r\nhello\r\n", "'' bad-chunk-size"},
      {"space after", "5 \r\nhello\r\n", "'' bad-chunk-size"},
      {"tab after", "5\t\r\nhello\r\n", "'' bad-chunk-size"},
      {"NUL", "5\0\r\nhello\r\n"s, "'' bad-chunk-size"},
      {"comma", "5,5\r\nhello\r\n", "'' bad-chunk-size"},
      {"size of 2^63", "8000000000000000\r\n", "'' bad-chunk-size"},
      {"size of 2^64", "10000000000000000\r\n", "'' bad-chunk-size"},
      {"size of 2^64 + 5", "10000000000000005\r\nhello", "'' bad-chunk-size"},
      {"seventeen digits", "00000000000000005\r\nhello", "'' bad-chunk-size"},
      {"sizes that add up to 2^63", "1\r\na\r\n7fffffffffffffff\r\n", "'a' bad-chunk-size"},
      {"LF after the size", "5\nhello\r\n", "'' bare-lf"},
      {"CR after the size", "5\rhello\r\n", "'' bare-cr"},
      {"CR CR LF after the size", "5\r\r\nhello\r\n", "'' bare-cr"},
      {"no CRLF after the data", "5\r\nhello0\r\n\r\n", "'hello' bad-chunk-end"},
      {"LF after the data", "5\r\nhello\n0\r\n\r\n", "'hello' bad-chunk-end"},
      {"CR after the data", "5\r\nhello\r0\r\n\r\n", "'hello' bad-chunk-end"},
      {"data longer than the size", "4\r\nhello\r\n0\r\n\r\n", "'hell' bad-chunk-end"},
      {"data shorter than the size", "6\r\nhello\r\n0\r\n\r\n", "'hello\r' bad-chunk-end"},
      {"space before the semicolon", "5 ;a\r\nhello\r\n", "'' bad-chunk-size"},
      {"space after the semicolon", "5; a\r\nhello\r\n", "'' bad-chunk-extension"},
      {"space before the equals sign", "5;a =b\r\nhello\r\n", "'' bad-chunk-extension"},
      {"space after the equals sign", "5;a= b\r\nhello\r\n", "'' bad-chunk-extension"},
      {"space after the extension", "5;a \r\nhello\r\n", "'' bad-chunk-extension"},
      {"extension without a name", "5;\r\nhello\r\n", "'' bad-chunk-extension"},
      {"extension without a value", "5;a=\r\nhello\r\n", "'' bad-chunk-extension"},
      {"two semicolons", "5;;a\r\nhello\r\n", "'' bad-chunk-extension"},
      {"two equals signs", "5;a==b\r\nhello\r\n", "'' bad-chunk-extension"},
      {"quoted string that does not end", "5;a=\"b\r\nhello\r\n0\r\n\r\n", "'' bad-chunk-extension"},
      {"quoted string that ends in the data", "5;a=\"b\r\nhe\"lo\r\n0\r\n\r\n", "'' bad-chunk-extension"},
      {"quoted CR", "5;a=\"b\\\r\nhello\r\n", "'' bad-chunk-extension"},
      {"LF in a quoted string", "5;a=\"b\nc\"\r\nhello\r\n", "'' bare-lf"},
      {"NUL in a quoted string", "5;a=\"b\0\"\r\nhello\r\n"s, "'' bad-chunk-extension"},
      {"token after a quoted string", "5;a=\"b\"c\r\nhello\r\n", "'' bad-chunk-extension"},
      {"LF after an extension", "5;a\nhello\r\n", "'' bare-lf"},
      {"CR after an extension", "5;a\rhello\r\n", "'' bare-cr"},
      {"LF for the empty line", "0\r\n\n", "'' bare-lf"},
      {"LF after a trailer", "0\r\nA: b\n\r\n", "'' bare-lf"},
      {"CR in a trailer", "0\r\nA: b\rc\r\n\r\n", "'' bare-cr"},
      {"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "'' folded-line"},
      {"trailer without a colon", "0\r\nA\r\n\r\n", "'' no-colon"},
      {"trailer with a space before the colon", "0\r\nA : b\r\n\r\n", "'' space-before-colon"},
      {"trailer with a control", "0\r\nA: \x01\r\n\r\n", "'' control-in-value"},
      {"request for a trailer", "0\r\nGET / HTTP/1.1\r\n\r\n", "'' bad-field-name"},
  });
}

TEST_CASE("trailers that belong in a head are refused") {
  for (const std::string name :
       {"Transfer-Encoding", "content-length", "HOST", "Trailer", "Authorization", "Proxy-Authorization", "Cookie",
        "Set-Cookie", "Content-Encoding", "Content-Type", "Content-Range", "Connection", "Upgrade", "TE",
        "Cache-Control", "Expect", "Tapedeck-Session"}) {
    check_chunked({{name, "0\r\nA: b\r\n" + name + ": x\r\n\r\n", "'' forbidden-trailer"}});
  }
}

TEST_CASE("chunk framing over a limit is refused") {
  Limits limits;
  limits.chunk_line_bytes_max = 16;
  limits.head_bytes_max = 32;
  limits.header_fields_max = 2;
  check_chunked(
      {
          {"line at the limit", "1;" + std::string(13, 'a') + "\r\nx\r\n0\r\n\r\n", "'x' end"},
          {"line over it", "1;" + std::string(15, 'a') + "\r\nx\r\n0\r\n\r\n", "'' chunk-line-too-long"},
          {"endless line", "1;" + std::string(90, 'a'), "'' chunk-line-too-long"},
          {"trailers at the limit", "0\r\nA: " + std::string(25, 'b') + "\r\n\r\n",
           "'' end |A=" + std::string(25, 'b') + "|"},
          {"trailers over it", "0\r\nA: " + std::string(26, 'b') + "\r\n\r\n", "'' trailers-too-long"},
          {"one endless trailer", "0\r\n" + std::string(90, 'b'), "'' trailers-too-long"},
          {"too many trailers", "0\r\nA:\r\nB:\r\nC:\r\n\r\n", "'' too-many-trailers"},
      },
      limits);

  std::string tiny_chunks;
  for (int i = 0; i < 10; ++i) tiny_chunks += "1;aaaaaaaa\r\nx\r\n";
  const auto outcome = read_pieces({BodyFraming::chunked, 0}, {tiny_chunks}, limits);
  CHECK(outcome == "'xxx' chunk-extensions-too-long");
}

TEST_CASE("bodies with a length, until close, and none") {
  struct FramedRow {
    std::string name;
    MessageFraming framing;
    std::string bytes;
    bool eof;
    std::string outcome;
  };
  const std::vector<FramedRow> rows = {
      {"no body", {}, "", false, "'' end"},
      {"no body, and the next message", {}, "GET", false, "'' end +3"},
      {"length 0", {BodyFraming::content_length, 0}, "", false, "'' end"},
      {"length 5", {BodyFraming::content_length, 5}, "hello", false, "'hello' end"},
      {"length 5, and the next message", {BodyFraming::content_length, 5}, "helloGET", false, "'hello' end +3"},
      {"length 5, three came", {BodyFraming::content_length, 5}, "hel", false, "'hel' need more"},
      {"length 5, cut", {BodyFraming::content_length, 5}, "hel", true, "'hel' body-cut"},
      {"length 5, then closed", {BodyFraming::content_length, 5}, "hello", true, "'hello' end"},
      {"until close", {BodyFraming::until_close, 0}, "hello", false, "'hello' need more"},
      {"until close, closed", {BodyFraming::until_close, 0}, "hello", true, "'hello' end"},
      {"until close, nothing came", {BodyFraming::until_close, 0}, "", true, "'' end"},
      {"chunked, cut in the size", {BodyFraming::chunked, 0}, "5", true, "'' body-cut"},
      {"chunked, cut in the data", {BodyFraming::chunked, 0}, "5\r\nhel", true, "'hel' body-cut"},
      {"chunked, cut before the last chunk", {BodyFraming::chunked, 0}, "5\r\nhello\r\n", true, "'hello' body-cut"},
      {"chunked, cut in the last chunk", {BodyFraming::chunked, 0}, "0\r\n", true, "'' body-cut"},
      {"chunked, then closed", {BodyFraming::chunked, 0}, "0\r\n\r\n", true, "'' end"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    for (const auto& pieces : splits_of(row.bytes)) {
      const auto split = text_of(pieces);
      CAPTURE(split);
      CHECK(read_pieces(row.framing, pieces, {}, row.eof) == row.outcome);
    }
  }
}

TEST_CASE("a refused body stays refused, an ended one ended") {
  BodyDecoder refused({BodyFraming::chunked, 0}, {});
  CHECK(refused.next("x").kind == BodyDecoder::Event::Kind::refused);
  CHECK(refused.next("5\r\nhello").refusal.code == "bad-chunk-size");
  CHECK(refused.at_eof().refusal.code == "bad-chunk-size");
  BodyDecoder ended({BodyFraming::chunked, 0}, {});
  CHECK(ended.next("0\r\n\r\n").kind == BodyDecoder::Event::Kind::end);
  const auto again = ended.next("5\r\n");
  CHECK(again.kind == BodyDecoder::Event::Kind::end);
  CHECK(again.consumed == 0);
}

TEST_CASE("data are views into the input") {
  const std::string input = "5\r\nhello\r\n";
  BodyDecoder decoder({BodyFraming::chunked, 0}, {});
  const auto event = decoder.next(input);
  REQUIRE(event.kind == BodyDecoder::Event::Kind::data);
  CHECK(event.data.data() == input.data() + 3);
  CHECK(event.consumed == 8);
}
