#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "storage/cassette/cassette_reader.hpp"
#include "storage/cassette/cassette_writer.hpp"
#include "storage/redaction/redactor.hpp"
#include "tests/support/exchange_builder.hpp"

namespace tapedeck::test {

// A folder of the test's own, gone at its end. In memory where the system has a place for that: the tests sync files
// thousands of times.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const std::filesystem::path memory = "/dev/shm";
    const bool has_memory = ::access(memory.c_str(), W_OK) == 0;
    std::string name = ((has_memory ? memory : std::filesystem::temp_directory_path()) / "cassette-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, error);
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_bytes(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Every file of a folder with its bytes: what reading must not change. The -shm file is the writers' shared memory and
// lives as they do.
inline std::map<std::string, std::string> content_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    content[name] = name.ends_with("-shm") ? "" : bytes_of(entry.path());
  }
  return content;
}

inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : content_of(folder)) names.push_back(name);
  return names;
}

template <class T>
T required(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().code + ": " + result.error().detail));
  return std::move(*result);
}

inline void require_ok(const Result<void>& result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().code + ": " + result.error().detail));
}

// Nothing in the tests' exchanges is secret, so that they come back as they went in.
inline RedactedExchange redacted(const Exchange& exchange) {
  static const Redactor redactor({}, Limits{});
  return required(redactor.redact(exchange));
}

inline Exchange numbered(int n) {
  return ExchangeBuilder("GET", "/tapes/" + std::to_string(n))
      .response_json("{\"tape\":" + std::to_string(n) + "}")
      .numbers(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(n))
      .build();
}

inline Result<std::vector<std::int64_t>> append_steps(CassetteWriter& writer, const std::vector<RecordingStep>& steps) {
  std::vector<const RecordingStep*> pointers;
  for (const auto& step : steps) pointers.push_back(&step);
  return writer.append(pointers);
}

// The id of the first; 0 for none.
inline Result<std::int64_t> append(CassetteWriter& writer, const std::vector<Exchange>& exchanges) {
  std::vector<RecordingStep> steps;
  for (const auto& exchange : exchanges) steps.emplace_back(redacted(exchange));
  const auto ids = append_steps(writer, steps);
  if (!ids) return ids.error();
  return ids->empty() ? 0 : ids->front();
}

// One whole run of recording.
inline void record(const std::filesystem::path& file, const std::vector<Exchange>& exchanges,
                   TakeKind kind = TakeKind::replace, TakeState end = TakeState::complete) {
  auto writer = required(CassetteWriter::open(file, {}));
  required(writer->begin_take(kind));
  required(append(*writer, exchanges));
  require_ok(writer->end_take(end));
  require_ok(writer->close());
}

inline std::vector<StoredExchange> all_of(CassetteReader& reader, const ReadParts& parts = {true, true, true}) {
  std::vector<StoredExchange> all;
  require_ok(reader.for_each(parts, [&](StoredExchange&& stored) {
    all.push_back(std::move(stored));
    return true;
  }));
  return all;
}

// Of a CassetteReader, or of what has one.
template <class Reader>
Result<StoredExchange> answer_of(Reader& reader, std::int64_t id, std::uint64_t body_bytes_max = 1024) {
  StoredExchange answer;
  if (auto loaded = reader.load_answer(id, body_bytes_max, answer); !loaded) return loaded.error();
  return answer;
}

inline std::vector<std::string> targets_in(const std::filesystem::path& file) {
  auto reader = required(CassetteReader::open(file));
  std::vector<std::string> targets;
  for (const auto& stored : all_of(*reader)) targets.push_back(stored.exchange.request.target);
  return targets;
}

// By a connection of its own, which does not wait for a lock. Whether it could.
inline bool execute(const std::filesystem::path& file, const char* sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  const int executed = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  return executed == SQLITE_OK;
}

// Whether somebody else may have the file to himself at this moment, as a recorder needs when it starts.
inline bool is_free(const std::filesystem::path& file) {
  return execute(file, "BEGIN EXCLUSIVE; ROLLBACK");
}

}  // namespace tapedeck::test
