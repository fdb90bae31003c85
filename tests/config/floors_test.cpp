// The rules of the house that a reader can check line by line: which floor may include what, and how a line looks.
// Each refusal names the place and the mend. The tests run in the root of the repository.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace fs = std::filesystem;

namespace {

// From the lowest floor to the highest; an arrow goes downward or stays.
constexpr std::array<std::string_view, 4> floors{"config", "storage", "replay", "proxy"};

std::optional<std::size_t> height_of(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  for (std::size_t i = 0; i < floors.size(); ++i) {
    if (floors[i] == first) return i;
  }
  return std::nullopt;
}

bool begins_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// What is wrong with an include of `target` in `file` (both from the root), or nothing.
std::string include_complaint(std::string_view file, std::string_view target, bool in_quotes) {
  const auto height = height_of(file);
  if (in_quotes) {
    if (target.find("./") != std::string_view::npos || target.find('/') == std::string_view::npos) {
      return "is a relative include; write the path from the root, as in \"config/result.hpp\"";
    }
    const auto wanted = height_of(target);
    if (height && begins_with(target, "tests/")) return "includes a test; move what it needs to a floor";
    if (height && wanted && *wanted > *height) {
      return "points upward from " + std::string(floors[*height]) + " to " + std::string(floors[*wanted]) +
             "; move the shared part down, or pass it in";
    }
    return {};
  }
  if (begins_with(target, "nlohmann/json.hpp") && file.substr(file.size() - 4) == ".hpp") {
    return "pulls nlohmann/json into every unit that includes this; include it in the .cpp, or nlohmann/json_fwd.hpp "
           "here";
  }
  if (!height) return {};
  const bool in_proxy = floors[*height] == "proxy";
  const bool does_io = begins_with(target, "boost/asio") || begins_with(target, "boost/beast");
  if (does_io && !in_proxy) return "does I/O below the proxy floor; decide on values here and move the waiting up";
  if (target == "sqlite3.h" && floors[*height] != "storage") {
    return "reaches past the storage floor; use storage/cassette/cassette_reader.hpp or cassette_writer.hpp";
  }
  if (target == "openssl/ssl.h" && !in_proxy) return "speaks TLS below the proxy floor; move it to proxy/tls";
  return {};
}

std::string line_complaint(std::string_view line) {
  std::size_t columns = 0;
  for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0) == 0x80 ? 0 : 1;
  // A raw text cannot be broken without changing what it says.
  const bool raw_text = line.find("R\"") != std::string_view::npos;
  if (columns > 120 && !raw_text) return "has " + std::to_string(columns) + " columns; break it at 120 (./dev format)";
  if (line.find('\t') != std::string_view::npos) return "has a tab; write spaces, or \\t in a text";
  if (!line.empty() && (line.back() == ' ' || line.back() == '\r')) return "ends in white space; cut it";
  // In two pieces, so that this file passes.
  for (const std::string_view word : {"TO"
                                      "DO",
                                      "FIX"
                                      "ME"}) {
    if (line.find(word) != std::string_view::npos) return "leaves a " + std::string(word) + "; do it, or open an issue";
  }
  return {};
}

// g++ 12 destroys temporaries of such operands twice (GCC bugs 99576 and 101133 and their like).
std::string coroutine_complaint(std::string_view line) {
  const auto begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos || line.substr(begin).starts_with("//")) return {};
  static const std::regex joined(R"((&&|\|\||\?) !?co_await |co_await [^;]* (&&|\|\||\?) )");
  static const std::regex looped(R"(while \(!?co_await )");
  const std::string text(line);
  if (std::regex_search(text, joined)) {
    return "joins a co_await with another operand; g++ 12 compiles that wrongly: await into a variable first";
  }
  if (std::regex_search(text, looped)) {
    return "awaits in a loop's condition; g++ 12 compiles that wrongly: await in its body";
  }
  return {};
}

std::string complaints_of(const std::string& file, std::istream& text) {
  static const std::regex include(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  std::string complaints;
  std::string line;
  bool ends_in_line_feed = true;
  for (int number = 1; std::getline(text, line); ++number) {
    ends_in_line_feed = !text.eof();
    std::smatch found;
    std::string complaint = line_complaint(line);
    if (complaint.empty() && file.starts_with("proxy/")) complaint = coroutine_complaint(line);
    if (complaint.empty() && line.size() < 1000 && std::regex_search(line, found, include)) {
      complaint = include_complaint(file, found[2].str(), found[1] == "\"");
    }
    if (!complaint.empty()) complaints += file + ":" + std::to_string(number) + " " + complaint + "\n";
  }
  if (!ends_in_line_feed) complaints += file + " does not end in a line feed; add one\n";
  return complaints;
}

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".hpp";
}

std::vector<std::string> sources_of_repository() {
  std::vector<std::string> files;
  for (const std::string_view folder : {"config", "storage", "replay", "proxy", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) files.push_back(entry.path().generic_string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("every source keeps the rules of the house") {
  REQUIRE_MESSAGE(fs::exists("config/result.hpp"), "run the tests in the root of the repository");
  std::string complaints;
  const auto files = sources_of_repository();
  CHECK(files.size() > 20);
  for (const std::string& file : files) {
    std::ifstream text(file);
    complaints += complaints_of(file, text);
  }
  CHECK_MESSAGE(complaints.empty(), complaints);
}

TEST_CASE("an include that breaks a rule is found") {
  struct Row {
    const char* name;
    const char* file;
    const char* line;
    const char* complaint;  // a part of it; nullptr: none
  };
  const Row rows[] = {
      {"own floor", "storage/a.cpp", "#include \"storage/b.hpp\"", nullptr},
      {"downward", "proxy/a.cpp", "#include \"config/b.hpp\"", nullptr},
      {"upward", "config/a.cpp", "#include \"storage/b.hpp\"", "points upward from config to storage"},
      {"upward with spaces", "storage/a.cpp", "  #  include \"replay/b.hpp\"", "points upward from storage to replay"},
      {"a test sees all", "tests/config/a.cpp", "#include \"proxy/b.hpp\"", nullptr},
      {"a test", "config/a.cpp", "#include \"tests/b.hpp\"", "includes a test"},
      {"beside", "config/a.cpp", "#include \"b.hpp\"", "relative include"},
      {"above", "config/a.cpp", "#include \"../config/b.hpp\"", "relative include"},
      {"asio", "replay/a.cpp", "#include <boost/asio/post.hpp>", "does I/O below"},
      {"beast", "storage/a.cpp", "#include <boost/beast.hpp>", "does I/O below"},
      {"asio in the proxy", "proxy/a.cpp", "#include <boost/asio/post.hpp>", nullptr},
      {"sqlite", "replay/a.cpp", "#include <sqlite3.h>", "reaches past the storage floor"},
      {"sqlite in a test", "tests/storage/a.cpp", "#include <sqlite3.h>", nullptr},
      {"TLS", "storage/a.cpp", "#include <openssl/ssl.h>", "speaks TLS below"},
      {"hashes", "storage/a.cpp", "#include <openssl/evp.h>", nullptr},
      {"json in a header", "proxy/a.hpp", "#include <nlohmann/json.hpp>", "pulls nlohmann/json"},
      {"json in a unit", "proxy/a.cpp", "#include <nlohmann/json.hpp>", nullptr},
      {"json's names in a header", "proxy/a.hpp", "#include <nlohmann/json_fwd.hpp>", nullptr},
      {"two awaits joined", "proxy/a.cpp", "ok = co_await a() && co_await b();", "joins a co_await"},
      {"an await chosen", "proxy/a.cpp", "auto c = first ? co_await a() : d;", "joins a co_await"},
      {"an await in a loop's condition", "proxy/a.cpp", "while (co_await a()) {", "awaits in a loop's condition"},
      {"an await alone", "proxy/a.cpp", "if (!co_await a()) co_return;", nullptr},
      {"words about an await", "proxy/a.cpp", "// a co_await && b", nullptr},
      {"a tab", "config/a.cpp", "\tint a;", "has a tab"},
      {"a space at the end", "config/a.cpp", "int a; ", "ends in white space"},
      {"a carriage return", "config/a.cpp", "int a;\r", "ends in white space"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::istringstream text(std::string(row.line) + "\n");
    const std::string complaints = complaints_of(row.file, text);
    if (row.complaint == nullptr) {
      CHECK(complaints == "");
    } else {
      CHECK(complaints.find(std::string(row.file) + ":1 ") == 0);
      CHECK(complaints.find(row.complaint) != std::string::npos);
    }
  }
  CHECK(line_complaint(std::string(120, 'a')).empty());
  CHECK(!line_complaint(std::string(121, 'a')).empty());
  CHECK(line_complaint("R\"(" + std::string(121, 'a') + ")\"").empty());
  std::string letters;
  for (int i = 0; i < 120; ++i) letters += "å";
  CHECK(line_complaint(letters).empty());
  CHECK(!line_complaint("// TO"
                        "DO")
             .empty());
  std::istringstream unended("int a;");
  CHECK(complaints_of("config/a.cpp", unended) == "config/a.cpp does not end in a line feed; add one\n");
}
