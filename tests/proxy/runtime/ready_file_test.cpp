#include "proxy/runtime/ready_file.hpp"

#include <fstream>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/proxy/tls/tls_support.hpp"

using namespace tapedeck;
using namespace tapedeck::test;
namespace fs = std::filesystem;

namespace {

ReadyFile example() {
  ReadyFile ready;
  ready.pid = 4711;
  ready.proxy_url = "http://127.0.0.1:40001";
  ready.base_url = "http://127.0.0.1:40001";
  ready.base_url_tls = "https://127.0.0.1:40001";
  ready.admin_url = "http://127.0.0.1:40002";
  ready.admin_token = "t0ken";
  ready.ca_file = "/ca/ca.pem";
  ready.bundle_file = "/ca/bundle.pem";
  return ready;
}

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("a ready file lists the sessions that have a port of their own, and is read back") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ready.json";
  auto ready = example();
  ready.sessions = {{"alice", "http://127.0.0.1:40003"}, {"bob", "http://127.0.0.1:40004"}};
  REQUIRE(write_ready_file(file, ready).has_value());
  CHECK(nlohmann::json::parse(content_of(file))["sessions"] ==
        nlohmann::json{{"alice", "http://127.0.0.1:40003"}, {"bob", "http://127.0.0.1:40004"}});
  const auto read = read_ready_file(file);
  REQUIRE(read.has_value());
  CHECK(*read == ready);
}

TEST_CASE("a ready file holds the contract's fields and is its owner's alone") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ready.json";
  // What was there before is replaced, its mode with it.
  std::ofstream(file) << "old and longer than nothing";
  ::chmod(file.c_str(), 0666);
  REQUIRE(write_ready_file(file, example()).has_value());
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  const nlohmann::json expected = {{"pid", 4711},
                                   {"proxy_url", "http://127.0.0.1:40001"},
                                   {"base_url", "http://127.0.0.1:40001"},
                                   {"base_url_tls", "https://127.0.0.1:40001"},
                                   {"admin_url", "http://127.0.0.1:40002"},
                                   {"admin_token", "t0ken"},
                                   {"ca_file", "/ca/ca.pem"},
                                   {"bundle_file", "/ca/bundle.pem"}};
  CHECK(nlohmann::json::parse(content_of(file)) == expected);
}

TEST_CASE("a ready file is read back as it was written") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ready.json";
  ReadyFile ready = example();
  REQUIRE(write_ready_file(file, ready).has_value());
  CHECK(read_ready_file(file).value() == ready);
  ready.java_trust_store = "/ca/truststore.jks";
  ready.recorded_at = "2026-01-02T03:04:05Z";
  ready.intercepted = {"api.roaring.io", "*.x.io:8443"};
  ready.admin_url = ready.admin_token = "";
  REQUIRE(write_ready_file(file, ready).has_value());
  CHECK(read_ready_file(file).value() == ready);
}

TEST_CASE("what is no ready file is refused by name") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "ready.json";
  REQUIRE(write_ready_file(file, example()).has_value());
  const std::string good = content_of(file);
  const auto without = [&](const char* field) {
    auto object = nlohmann::json::parse(good);
    object.erase(field);
    return object.dump();
  };
  const auto with = [&](const char* field, const nlohmann::json& value) {
    auto object = nlohmann::json::parse(good);
    object[field] = value;
    return object.dump();
  };
  struct Row {
    const char* name;
    std::string content;
  };
  const Row rows[] = {
      {"empty", ""},
      {"cut", good.substr(0, good.size() / 2)},
      {"an array", "[]"},
      {"without a URL", without("proxy_url")},
      {"without a pid", without("pid")},
      {"a pid that is text", with("pid", "4711")},
      {"a pid below zero", with("pid", -1)},
      {"a pid too large", with("pid", 1e12)},
      {"a number for a URL", with("base_url", 1)},
      {"a number for what may be left out", with("recorded_at", 1)},
      {"a text for hosts", with("intercepted", "api.roaring.io")},
      {"a number for a host", with("intercepted", {1})},
      {"large", std::string(1 << 20, ' ')},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::ofstream(file) << row.content;
    const auto refused = read_ready_file(file);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "ready-file-broken");
    CHECK(refused.error().detail.find(file.string()) != std::string::npos);
    CHECK(refused.error().detail.find("t0ken") == std::string::npos);
  }
  fs::remove(file);
  CHECK(read_ready_file(file).error().code == "ready-file-missing");
  CHECK(write_ready_file(folder.path() / "no" / "folder" / "ready.json", example()).error().code == "file-unwritable");
}
