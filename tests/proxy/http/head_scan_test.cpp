#include "proxy/http/head_scan.hpp"

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

void check_rows(HeadScanner scan, const std::vector<Row>& rows, const Limits& limits = {}) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    for (const auto& pieces : splits_of(row.bytes)) {
      const auto split = text_of(pieces);
      CAPTURE(split);
      CHECK(scan_pieces(scan, pieces, limits) == row.outcome);
    }
  }
}

std::string with_field(const std::string& field) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n";
}

std::string answer_with(const std::string& field) {
  return "HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n";
}

}  // namespace

TEST_CASE("request heads that are taken") {
  check_rows(
      scan_request_head,
      {
          {"shortest", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 |Host=a|"},
          {"bytes of the next request follow", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", "GET / 1.1 |Host=a|"},
          {"leading CRLF", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 |Host=a|"},
          {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 close"},
          {"HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
           "GET / 1.0 |Connection=Keep-Alive|"},
          {"close in a list", with_field("Connection: te , Close"), "GET / 1.1 |Host=a| |Connection=te , Close| close"},
          {"close beats keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
           "GET / 1.0 |Connection=keep-alive, close| close"},
          {"absolute-form", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/b?c 1.1 |Host=a|"},
          {"authority-form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT a:443 1.1 |Host=a:443|"},
          {"CONNECT with a length of nothing", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
           "CONNECT a:443 1.1 |Host=a| |Content-Length=0| length 0"},
          {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 |Host=a|"},
          {"unknown method", "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", "PROPFIND / 1.1 |Host=a|"},
          {"unusual target bytes", "GET /a|b{c}\"?%41 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a|b{c}\"?%41 1.1 |Host=a|"},
          {"length", with_field("content-LENGTH:5"), "GET / 1.1 |Host=a| |content-LENGTH=5| length 5"},
          {"largest length", with_field("Content-Length: 9223372036854775807"),
           "GET / 1.1 |Host=a| |Content-Length=9223372036854775807| length 9223372036854775807"},
          {"chunked in capitals", with_field("Transfer-Encoding: CHUNKED"),
           "GET / 1.1 |Host=a| |Transfer-Encoding=CHUNKED| chunked"},
          {"white space around a value", with_field("A: \t b  c\t "), "GET / 1.1 |Host=a| |A=b  c|"},
          {"empty value", with_field("A:"), "GET / 1.1 |Host=a| |A=|"},
          {"value of white space", with_field("A:   "), "GET / 1.1 |Host=a| |A=|"},
          {"tab within a long value", with_field("A: 12345678\t12345678"), "GET / 1.1 |Host=a| |A=12345678\t12345678|"},
          {"UTF-8 in a value", with_field("A: åäö"), "GET / 1.1 |Host=a| |A=åäö|"},
          {"Latin-1 in a value", with_field("A: \xe5\xff"), "GET / 1.1 |Host=a| |A=\xe5\xff|"},
          {"every mark of a name", with_field("!#$%&'*+-.^_`|~: x"), "GET / 1.1 |Host=a| |!#$%&'*+-.^_`|~=x|"},
          {"duplicates keep order and case", with_field("a: 1\r\nA: 2\r\na: 3"),
           "GET / 1.1 |Host=a| |a=1| |A=2| |a=3|"},
          {"colons within a value", with_field("A:b:c"), "GET / 1.1 |Host=a| |A=b:c|"},
          {"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / 1.1 |Host=[::1]:80|"},
          {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / 1.1 |Host=|"},
      });
}

TEST_CASE("request lines that are refused") {
  check_rows(scan_request_head,
             {
                 {"second leading CRLF", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-request-line"},
                 {"leading LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bare-lf"},
                 {"leading CR", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bare-cr"},
                 {"leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-method"},
                 {"ends with LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400 bare-lf"},
                 {"CR in the method", "GE\rT / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bare-cr"},
                 {"CR in the target", "GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n", "400 bare-cr"},
                 {"CR after the version", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400 bare-cr"},
                 {"two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-request-line"},
                 {"two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-request-line"},
                 {"space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400 bad-request-line"},
                 {"four words", "GET / a HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-request-line"},
                 {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-method"},
                 {"tab after the target", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-target"},
                 {"HTTP/0.9", "GET /\r\n", "400 bad-request-line"},
                 {"method alone", "GET\r\n", "400 bad-request-line"},
                 {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-request-line"},
                 {"colon in the method", "G:T / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-method"},
                 {"NUL in the method", "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s, "400 bad-method"},
                 {"non-ASCII method", "G\xc3\x84T / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-method"},
                 {"begins like TLS", "\x16\x03\x01\x02", "400 bad-method"},
                 {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, "400 bad-target"},
                 {"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-target"},
                 {"UTF-8 in the target", "GET /å HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad-target"},
                 {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400 fragment-in-target"},
                 {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "400 bad-version"},
                 {"version of two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400 bad-version"},
                 {"version with a comma", "GET / HTTP/1,1\r\nHost: a\r\n\r\n", "400 bad-version"},
                 {"version without a minor", "GET / HTTP/1\r\nHost: a\r\n\r\n", "400 bad-version"},
                 {"another protocol", "GET / ICAP/1.0\r\nHost: a\r\n\r\n", "400 bad-version"},
                 {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505 unsupported-version"},
                 {"HTTP/0.9 by name", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505 unsupported-version"},
                 {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 unsupported-version"},
             });
}

TEST_CASE("request fields that are refused") {
  check_rows(
      scan_request_head,
      {
          {"LF within", with_field("A: b\nC: d"), "400 bare-lf"},
          {"LF for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 bare-lf"},
          {"CR in a value", with_field("A: b\rc"), "400 bare-cr"},
          {"CR in a name", with_field("A\rB: c"), "400 bare-cr"},
          {"CR CR LF", with_field("A: b\r"), "400 bare-cr"},
          {"CR CR LF for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", "400 bare-cr"},
          {"folded with a space", with_field("A: b\r\n c"), "400 folded-line"},
          {"folded with a tab", with_field("A: b\r\n\tc"), "400 folded-line"},
          {"first line folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 folded-line"},
          {"space before the colon", with_field("Content-Length : 5"), "400 space-before-colon"},
          {"tab before the colon", with_field("A\t: 5"), "400 space-before-colon"},
          {"space in the name", with_field("A B: 5"), "400 bad-field-name"},
          {"no name", with_field(": 5"), "400 empty-field-name"},
          {"no colon", with_field("A"), "400 no-colon"},
          {"slash in the name", with_field("A/B: c"), "400 bad-field-name"},
          {"NUL in the name", with_field("A\0: c"s), "400 bad-field-name"},
          {"UTF-8 in the name", with_field("Å: c"), "400 bad-field-name"},
          {"quotes around the name", with_field("\"A\": c"), "400 bad-field-name"},
          {"NUL in a value", with_field("A: b\0c"s), "400 control-in-value"},
          {"NUL in a long value", with_field("A: 0123456789abcdef\0c"s), "400 control-in-value"},
          {"DEL in a value", with_field("A: b\x7f"), "400 control-in-value"},
          {"DEL in a long value",
           with_field("A: 0123\x7f"
                      "456789"),
           "400 control-in-value"},
          {"escape in a value", with_field("A: \x1b[31m"), "400 control-in-value"},
          {"vertical tab in a value", with_field("A: a\vb"), "400 control-in-value"},
          {"vertical tab before the coding", with_field("Transfer-Encoding: \vchunked"), "400 control-in-value"},
          {"two lengths", with_field("Content-Length: 5\r\nContent-Length: 6"), "400 two-content-lengths"},
          {"two equal lengths", with_field("Content-Length: 5\r\nContent-Length: 5"), "400 two-content-lengths"},
          {"list of lengths", with_field("Content-Length: 5, 5"), "400 bad-content-length"},
          {"length with a plus", with_field("Content-Length: +5"), "400 bad-content-length"},
          {"negative length", with_field("Content-Length: -5"), "400 bad-content-length"},
          {"length with a space", with_field("Content-Length: 5 5"), "400 bad-content-length"},
          {"hexadecimal length", with_field("Content-Length: 0x5"), "400 bad-content-length"},
          {"length with a fraction", with_field("Content-Length: 5.0"), "400 bad-content-length"},
          {"empty length", with_field("Content-Length:"), "400 bad-content-length"},
          {"length of 2^63", with_field("Content-Length: 9223372036854775808"), "400 bad-content-length"},
          {"length of 2^64 + 5", with_field("Content-Length: 18446744073709551621"), "400 bad-content-length"},
          {"length with a no-break space",
           with_field("Content-Length: \xc2\xa0"
                      "5"),
           "400 bad-content-length"},
          {"length and coding", with_field("Content-Length: 5\r\nTransfer-Encoding: chunked"),
           "400 length-and-transfer-encoding"},
          {"coding and length", with_field("Transfer-Encoding: chunked\r\nContent-Length: 5"),
           "400 length-and-transfer-encoding"},
          {"coding twice", with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
           "400 two-transfer-encodings"},
          {"identity after chunked", with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
           "400 two-transfer-encodings"},
          {"chunked twice in a list", with_field("Transfer-Encoding: chunked, chunked"), "400 unknown-transfer-coding"},
          {"xchunked", with_field("Transfer-Encoding: xchunked"), "400 unknown-transfer-coding"},
          {"chunked, gzip", with_field("Transfer-Encoding: chunked, gzip"), "400 unknown-transfer-coding"},
          {"gzip, chunked", with_field("Transfer-Encoding: gzip, chunked"), "400 unknown-transfer-coding"},
          {"identity", with_field("Transfer-Encoding: identity"), "400 unknown-transfer-coding"},
          {"chunked with a parameter", with_field("Transfer-Encoding: chunked;q=1"), "400 unknown-transfer-coding"},
          {"chunked in quotes", with_field("Transfer-Encoding: \"chunked\""), "400 unknown-transfer-coding"},
          {"chunked with a comma", with_field("Transfer-Encoding: ,chunked"), "400 unknown-transfer-coding"},
          {"empty coding", with_field("Transfer-Encoding:"), "400 unknown-transfer-coding"},
          {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
           "400 transfer-encoding-in-1.0"},
          {"no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", "400 missing-host"},
          {"no fields", "GET / HTTP/1.1\r\n\r\n", "400 missing-host"},
          {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400 two-hosts"},
          {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400 two-hosts"},
          {"Host with user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400 bad-host"},
          {"Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 bad-host"},
          {"Host with a list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400 bad-host"},
          {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 bad-host"},
          {"Host with UTF-8", "GET / HTTP/1.1\r\nHost: å\r\n\r\n", "400 bad-host"},
          {"CONNECT with a body", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
           "400 connect-with-body"},
          {"CONNECT in chunks", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
           "400 connect-with-body"},
      });
}

TEST_CASE("request heads that are not whole yet") {
  check_rows(scan_request_head, {
                                    {"nothing", "", "need more"},
                                    {"leading CR", "\r", "need more"},
                                    {"leading CRLF", "\r\n", "need more"},
                                    {"part of a method", "GE", "need more"},
                                    {"request line", "GET / HTTP/1.1\r\n", "need more"},
                                    {"no empty line", "GET / HTTP/1.1\r\nHost: a\r\n", "need more"},
                                    {"half of the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r", "need more"},
                                });
}

TEST_CASE("response heads that are taken") {
  check_rows(
      scan_response_head,
      {
          {"shortest", "HTTP/1.1 200 OK\r\n\r\n", "200 'OK' 1.1"},
          {"empty reason", "HTTP/1.1 200 \r\n\r\n", "200 '' 1.1"},
          {"no reason", "HTTP/1.1 200\r\n\r\n", "200 '' 1.1"},
          {"long reason", "HTTP/1.1 404 Not  Found: å\t!\r\n\r\n", "404 'Not  Found: å\t!' 1.1"},
          {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", "200 'OK' 1.0 close"},
          {"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "100 'Continue' 1.1"},
          {"highest status", "HTTP/1.1 599 X\r\n\r\n", "599 'X' 1.1"},
          {"length", answer_with("Content-Length: 5"), "200 'OK' 1.1 |Content-Length=5| length 5"},
          {"chunked", answer_with("Transfer-Encoding: chunked"), "200 'OK' 1.1 |Transfer-Encoding=chunked| chunked"},
          {"two cookies", answer_with("Set-Cookie: a\r\nSet-Cookie: b"), "200 'OK' 1.1 |Set-Cookie=a| |Set-Cookie=b|"},
          {"two Hosts mean nothing", answer_with("Host: a\r\nHost: b@"), "200 'OK' 1.1 |Host=a| |Host=b@|"},
      });
}

TEST_CASE("response heads that are refused") {
  check_rows(
      scan_response_head,
      {
          {"leading CRLF", "\r\nHTTP/1.1 200 OK\r\n\r\n", "400 bad-status-line"},
          {"leading LF", "\nHTTP/1.1 200 OK\r\n\r\n", "400 bare-lf"},
          {"leading space", " HTTP/1.1 200 OK\r\n\r\n", "400 bad-status-line"},
          {"another protocol that waits", "SSH-2.0", "400 bad-status-line"},
          {"TLS alert", "\x15\x03\x01", "400 bad-status-line"},
          {"HTTP/0.9", "<html>", "400 bad-status-line"},
          {"short line", "HTTP\r\n", "400 bad-status-line"},
          {"lower case", "http/1.1 200 OK\r\n\r\n", "400 bad-status-line"},
          {"no status", "HTTP/1.1\r\n\r\n", "400 bad-status-line"},
          {"ICY", "ICY 200 OK\r\n\r\n", "400 bad-status-line"},
          {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "505 unsupported-version"},
          {"HTTP/2 as curl writes it", "HTTP/2 200\r\n\r\n", "400 bad-version"},
          {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "505 unsupported-version"},
          {"two digits of minor", "HTTP/1.10 200 OK\r\n\r\n", "400 bad-status-line"},
          {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", "400 bad-status"},
          {"tab", "HTTP/1.1\t200 OK\r\n\r\n", "400 bad-status-line"},
          {"two digits", "HTTP/1.1 20 OK\r\n\r\n", "400 bad-status"},
          {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", "400 bad-status"},
          {"below 100", "HTTP/1.1 099 OK\r\n\r\n", "400 bad-status"},
          {"above 599", "HTTP/1.1 600 OK\r\n\r\n", "400 bad-status"},
          {"signed", "HTTP/1.1 +20 OK\r\n\r\n", "400 bad-status"},
          {"reason without a space", "HTTP/1.1 200OK\r\n\r\n", "400 bad-status"},
          {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s, "400 bad-reason"},
          {"DEL in the reason", "HTTP/1.1 200 O\x7fK\r\n\r\n", "400 bad-reason"},
          {"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "400 bare-cr"},
          {"LF in the reason", "HTTP/1.1 200 O\nK\r\n\r\n", "400 bare-lf"},
          {"LF line ends", "HTTP/1.1 200 OK\nA: b\n\n", "400 bare-lf"},
          {"folded", answer_with("A: b\r\n c"), "400 folded-line"},
          {"space before the colon", answer_with("Content-Length : 5"), "400 space-before-colon"},
          {"space before the first field", answer_with(" A: b"), "400 folded-line"},
          {"NUL in a value", answer_with("A: \0"s), "400 control-in-value"},
          {"CR in a value", answer_with("A: b\rSet-Cookie: c"), "400 bare-cr"},
          {"two lengths", answer_with("Content-Length: 5\r\nContent-Length: 6"), "400 two-content-lengths"},
          {"two equal lengths", answer_with("Content-Length: 5\r\nContent-Length: 5"), "400 two-content-lengths"},
          {"list of lengths", answer_with("Content-Length: 5, 5"), "400 bad-content-length"},
          {"negative length", answer_with("Content-Length: -1"), "400 bad-content-length"},
          {"length and coding", answer_with("Content-Length: 5\r\nTransfer-Encoding: chunked"),
           "400 length-and-transfer-encoding"},
          {"xchunked", answer_with("Transfer-Encoding: xchunked"), "400 unknown-transfer-coding"},
          {"gzip, chunked", answer_with("Transfer-Encoding: gzip, chunked"), "400 unknown-transfer-coding"},
          {"chunked twice", answer_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
           "400 two-transfer-encodings"},
          {"coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
           "400 transfer-encoding-in-1.0"},
      });
}

TEST_CASE("heads over a limit are refused, at the limit they are not") {
  Limits limits;
  limits.start_line_bytes_max = 32;
  limits.head_bytes_max = 80;
  limits.header_fields_max = 3;
  const auto line = [](std::size_t bytes) { return "GET /" + std::string(bytes - 16, 'a') + " HTTP/1.1\r\n"; };
  const auto fields = [](std::size_t bytes) { return "Host: a\r\nA: " + std::string(bytes - 16, 'b') + "\r\n\r\n"; };
  check_rows(
      scan_request_head,
      {
          {"request line at the limit", line(32) + "Host: a\r\n\r\n", "GET /" + std::string(16, 'a') + " 1.1 |Host=a|"},
          {"request line over it", line(33) + "Host: a\r\n\r\n", "414 request-line-too-long"},
          {"endless request line", std::string(200, 'a'), "414 request-line-too-long"},
          {"head at the limit", line(17) + fields(63), "GET /a 1.1 |Host=a| |A=" + std::string(47, 'b') + "|"},
          {"head over it", line(17) + fields(64), "431 head-too-long"},
          {"endless field", line(17) + std::string(200, 'a'), "431 head-too-long"},
          {"fields at the limit", line(17) + "Host: a\r\nA:\r\nB:\r\n\r\n", "GET /a 1.1 |Host=a| |A=| |B=|"},
          {"fields over it", line(17) + "Host: a\r\nA:\r\nB:\r\nC:\r\n\r\n", "431 too-many-fields"},
      },
      limits);
  check_rows(scan_response_head,
             {
                 {"endless status line", "HTTP/1.1 200 " + std::string(50, 'a'), "431 status-line-too-long"},
                 {"endless field", "HTTP/1.1 200 OK\r\nA:" + std::string(80, 'a'), "431 head-too-long"},
                 {"fields over the limit", "HTTP/1.1 200 OK\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", "431 too-many-fields"},
             },
             limits);
}

TEST_CASE("a head is used again without a trace of the last one") {
  ScannedHead head;
  const std::string first = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nB: c\r\n\r\n";
  const std::string second = "\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\nrest";
  REQUIRE(scan_request_head(first, {}, head).outcome == HeadScan::Outcome::complete);
  CHECK(head.head_bytes == first.size());
  CHECK(request_framing(head).framing == BodyFraming::chunked);
  const auto capacity = head.fields.capacity();
  REQUIRE(scan_request_head(second, {}, head).outcome == HeadScan::Outcome::complete);
  CHECK(describe(head) == "GET / 1.1 |Host=b|");
  CHECK(head.head_bytes == second.size() - 4);
  CHECK(head.fields.capacity() == capacity);
  CHECK(head.find("HOST") == "b");
  CHECK(head.find("B").empty());
  CHECK(head.contains("host"));
  CHECK_FALSE(head.contains("transfer-encoding"));
}

TEST_CASE("what a response's framing is, by the request's method") {
  struct FramingRow {
    std::string name;
    std::string head;
    const char* method;
    BodyFraming framing;
    std::uint64_t length;
  };
  const std::string length = "\r\nContent-Length: 5\r\n\r\n";
  const std::string chunked = "\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<FramingRow> rows = {
      {"length", "HTTP/1.1 200 OK" + length, "GET", BodyFraming::content_length, 5},
      {"chunked", "HTTP/1.1 200 OK" + chunked, "POST", BodyFraming::chunked, 0},
      {"neither", "HTTP/1.1 200 OK\r\n\r\n", "GET", BodyFraming::until_close, 0},
      {"HEAD", "HTTP/1.1 200 OK" + length, "HEAD", BodyFraming::none, 0},
      {"HEAD in chunks", "HTTP/1.1 200 OK" + chunked, "HEAD", BodyFraming::none, 0},
      {"methods have a case", "HTTP/1.1 200 OK" + length, "head", BodyFraming::content_length, 5},
      {"100", "HTTP/1.1 100 Continue" + length, "POST", BodyFraming::none, 0},
      {"204", "HTTP/1.1 204 No Content" + chunked, "GET", BodyFraming::none, 0},
      {"304", "HTTP/1.1 304 Not Modified" + length, "GET", BodyFraming::none, 0},
      {"CONNECT taken", "HTTP/1.1 200 OK" + length, "CONNECT", BodyFraming::none, 0},
      {"CONNECT refused", "HTTP/1.1 403 No" + length, "CONNECT", BodyFraming::content_length, 5},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    ScannedHead head;
    REQUIRE(scan_response_head(row.head, {}, head).outcome == HeadScan::Outcome::complete);
    const auto framing = response_framing(head, row.method);
    CHECK(framing.framing == row.framing);
    CHECK(framing.content_length == row.length);
  }
}
