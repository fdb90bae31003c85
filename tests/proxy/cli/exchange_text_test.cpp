#include "proxy/cli/exchange_text.hpp"

#include <doctest/doctest.h>

#include "storage/redaction/content_coding.hpp"
#include "tests/support/exchange_builder.hpp"

using namespace tapedeck;
using tapedeck::test::ExchangeBuilder;

namespace {

StoredExchange stored(Exchange exchange) {
  StoredExchange out;
  out.id = 3;
  out.take_ordinal = 1;
  out.exchange = std::move(exchange);
  return out;
}

}  // namespace

TEST_CASE("JSON is laid out with every token as it was") {
  struct Row {
    const char* name;
    const char* json;
    const char* text;
  };
  const Row rows[] = {
      {"members", R"({"a":1,"b":[true,null]})", "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null\n  ]\n}"},
      {"empty containers", R"({"a":{},"b":[ ] , "c" : [{}]})",
       "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    {}\n  ]\n}"},
      {"numbers stay raw", "[1.0e3, 12345678901234567890123]", "[\n  1.0e3,\n  12345678901234567890123\n]"},
      {"strings stay raw", R"(["a\"{\\", "\u00e5å"])", "[\n  \"a\\\"{\\\\\",\n  \"\\u00e5å\"\n]"},
      {"doubled members stay", R"({"a":1,"a":2})", "{\n  \"a\": 1,\n  \"a\": 2\n}"},
      {"laid out already", "{\n \"a\" :\r\n\t1 }\n", "{\n  \"a\": 1\n}"},
      {"a scalar", " 7 ", "7"},
      {"no JSON", "{a: 1}", "{a: 1}"},
      {"cut JSON", R"({"a":[1)", R"({"a":[1)"},
      {"nothing", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(laid_out_json(row.json) == row.text);
  }
}

TEST_CASE("deep nesting does not make the layout quadratic") {
  const std::size_t depth = 100'000;
  CHECK(laid_out_json(std::string(depth, '[') + std::string(depth, ']')).size() < 200 * depth);
}

TEST_CASE("bodies are shown without their content coding") {
  struct Row {
    const char* name;
    const char* coding;
    std::string bytes;
    BodyForm form;
    const char* shown;
  };
  const std::string zipped = encode_content(ContentCoding::gzip, R"({"a":1})");
  const Row rows[] = {
      {"gzip", "gzip", zipped, BodyForm::verbatim, "\n{\n  \"a\": 1\n}\n"},
      {"kept without its coding", "br", R"({"a":1})", BodyForm::identity, "\n{\n  \"a\": 1\n}\n"},
      {"unknown coding", "br", R"({"a":1})", BodyForm::verbatim,
       "\n# a body of 7 B that is no text; tapedeck show 3 --raw"},
      {"broken coding", "gzip", zipped.substr(0, 12), BodyForm::verbatim,
       "\n# a body of 12 B that is no text; tapedeck"},
      {"DOS line breaks", "identity", "a\r\nb", BodyForm::verbatim, "\na\nb\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    auto builder =
        ExchangeBuilder().response_body("text/plain", row.bytes).response_header("Content-Encoding", row.coding);
    builder.raw().response->body.form = row.form;
    CHECK(exchange_text(stored(builder.build())).find(row.shown) != std::string::npos);
  }
}

TEST_CASE("a long body is shown in part, and not cut within a letter") {
  std::string body = "a";
  while (body.size() < 300'000) body += "å";
  const auto text = exchange_text(stored(ExchangeBuilder().response_body("text/plain", body).build()));
  CHECK(text.find("å\n# and so on, 300 kB in all; tapedeck show 3 --raw writes it\n") != std::string::npos);
}

TEST_CASE("interim responses, trailers and a cut response are told") {
  auto builder = ExchangeBuilder();
  builder.raw().response->interim.push_back({103, "Early Hints", {{"Link", "</a>"}}});
  builder.raw().response->trailers = {{"Digest", "x"}};
  builder.raw().state = ExchangeState::cut;
  builder.raw().cut_by_client = true;
  builder.raw().request.target = "*";
  const auto text = exchange_text(stored(builder.build()));
  CHECK(text.find("\n# cut, since the client left\n") != std::string::npos);
  CHECK(text.find("GET https://api.roaring.io * HTTP/1.1\n") != std::string::npos);
  CHECK(text.find("\nHTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\n") != std::string::npos);
  CHECK(text.find("\n# trailer Digest: x\n") != std::string::npos);
  CHECK(outcome_text(builder.build()) == "200 cut");
}
