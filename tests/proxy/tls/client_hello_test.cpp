#include "proxy/tls/client_hello.hpp"

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "proxy/tls/tls_engine.hpp"
#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using Outcome = ClientHello::Outcome;

namespace {

std::string number(std::size_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

std::string vector_of(std::string_view content, int length_bytes) {
  return number(content.size(), length_bytes) + std::string(content);
}

std::string extension(std::size_t type, std::string_view body) {
  return number(type, 2) + vector_of(body, 2);
}

std::string server_name(std::string_view name) {
  return extension(0, vector_of(std::string(1, '\0') + vector_of(name, 2), 2));
}

std::string handshake(std::string_view extensions, bool with_extensions = true) {
  std::string body = "\x03\x03" + std::string(32, 'r') + vector_of("session", 1) + vector_of("\x13\x01\x13\x02", 2) +
                     vector_of(std::string(1, '\0'), 1);
  if (with_extensions) body += vector_of(extensions, 2);
  return "\x01" + vector_of(body, 3);
}

std::string record(std::string_view payload, char type = 22, const std::string& version = "\x03\x01") {
  return std::string(1, type) + version + vector_of(payload, 2);
}

std::string in_records_of(std::string_view message, std::size_t bytes) {
  std::string all;
  for (std::size_t at = 0; at < message.size(); at += bytes) all += record(message.substr(at, bytes));
  return all;
}

std::string hello_for(std::string_view name) {
  return record(handshake(extension(0x0a0a, "") + server_name(name) + extension(43, "\x02\x03\x04")));
}

}  // namespace

TEST_CASE("what a ClientHello asks for, row by row") {
  const std::string other = extension(16, vector_of(vector_of("h2", 1), 2));
  struct Row {
    const char* name;
    std::string bytes;
    Outcome outcome;
    std::string host = {};
  };
  const Row rows[] = {
      {"a name", hello_for("api.roaring.io"), Outcome::name, "api.roaring.io"},
      {"capitals are lowered", hello_for("API.Roaring.IO"), Outcome::name, "api.roaring.io"},
      {"an address, as some clients send", hello_for("127.0.0.1"), Outcome::name, "127.0.0.1"},
      {"what follows does not matter", hello_for("x.io") + "garbage", Outcome::name, "x.io"},
      {"cut over records", in_records_of(handshake(other + server_name("x.io")), 7), Outcome::name, "x.io"},
      {"cut to single bytes", in_records_of(handshake(server_name("x.io")), 1), Outcome::name, "x.io"},
      {"extensions without a name", record(handshake(other)), Outcome::none},
      {"an empty list of extensions", record(handshake("")), Outcome::none},
      {"no extensions at all", record(handshake("", false)), Outcome::none},
      {"nothing yet", "", Outcome::need_more},
      {"HTTP", "GET / HTTP/1.1\r\n", Outcome::not_tls},
      {"SSL 2", std::string("\x80\x2e\x01\x03\x01", 5), Outcome::not_tls},
      {"another kind of record", record(handshake(other), 23), Outcome::not_tls},
      {"another version", record(handshake(other), 22, "\x02\x01"), Outcome::not_tls},
      {"another handshake message", record("\x02" + vector_of("whatever", 3)), Outcome::not_tls},
      {"an empty record", record(""), Outcome::not_tls},
      {"a record too large", std::string("\x16\x03\x01\x40\x01", 5), Outcome::not_tls},
      {"a message too large", record("\x01" + number(client_hello_bytes_max, 3)), Outcome::not_tls},
      {"an alert between", record(handshake(other).substr(0, 9)) + record("\x02\x28", 21), Outcome::not_tls},
      {"bytes after the extensions", record("\x01" + vector_of(handshake(other).substr(4) + "x", 3)), Outcome::not_tls},
      {"an extension past the end", record(handshake(number(16, 2) + number(50, 2) + "x")), Outcome::not_tls},
      {"half an extension", record(handshake(std::string("\0\x10\0", 3))), Outcome::not_tls},
      {"two names in two extensions", record(handshake(server_name("a.io") + server_name("b.io"))), Outcome::not_tls},
      {"an empty list of names", record(handshake(extension(0, vector_of("", 2)))), Outcome::not_tls},
      {"an extension without a list", record(handshake(extension(0, ""))), Outcome::not_tls},
      {"another kind of name", record(handshake(extension(0, vector_of("\x01" + vector_of("x.io", 2), 2)))),
       Outcome::not_tls},
      {"an empty name", hello_for(""), Outcome::not_tls},
      {"a NUL in the name", hello_for(std::string("x.io\0.se", 8)), Outcome::not_tls},
      {"a line break in the name", hello_for("x\r\n.io"), Outcome::not_tls},
      {"a dot at its end", hello_for("x.io."), Outcome::not_tls},
      {"a name too long", hello_for(std::string(300, 'a')), Outcome::not_tls},
      {"a session id past the end", record("\x01" + vector_of(std::string(34, 'r') + "\xff", 3)), Outcome::not_tls},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const ClientHello hello = parse_client_hello(row.bytes);
    CHECK(hello.outcome == row.outcome);
    CHECK(hello.name == row.host);
  }
}

TEST_CASE("byte by byte, no verdict comes before the last byte that it needs") {
  for (const std::string& whole : {hello_for("api.roaring.io"), in_records_of(handshake(server_name("x.io")), 3)}) {
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      CAPTURE(bytes);
      REQUIRE(parse_client_hello(std::string_view(whole).substr(0, bytes)).outcome == Outcome::need_more);
    }
    CHECK(parse_client_hello(whole).outcome == Outcome::name);
  }
}

TEST_CASE("OpenSSL's own ClientHello is understood") {
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const auto named = std::move(TlsEngine::for_upstream(context.get(), "api.roaring.io").value());
  named->handshake();
  CHECK(parse_client_hello(named->output()).name == "api.roaring.io");
  const auto unnamed = std::move(TlsEngine::for_upstream(context.get(), "127.0.0.1").value());
  unnamed->handshake();
  CHECK(parse_client_hello(unnamed->output()).outcome == Outcome::none);
}

TEST_CASE("a client that never comes to the end is cut off") {
  const std::string beginning = in_records_of("\x01" + number(client_hello_bytes_max - 4, 3), 1);
  std::string endless = beginning;
  while (endless.size() <= 2 * client_hello_bytes_max) endless += record("x");
  CHECK(parse_client_hello(beginning).outcome == Outcome::need_more);
  CHECK(parse_client_hello(endless).outcome == Outcome::not_tls);
}

TEST_CASE("no spoilt hello is read past its end, and no verdict but a name has one") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string good = hello_for("api.roaring.io");
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good.substr(0, random() % (good.size() + 1));
    for (unsigned change = random() % 4; change > 0 && !bytes.empty(); --change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    // Its own allocation, so that a sanitizer sees the first byte too many.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const ClientHello hello = parse_client_hello({exact.data(), exact.size()});
    REQUIRE((hello.outcome == Outcome::name) == !hello.name.empty());
  }
}
