#include "replay/serving/index_folder.hpp"

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/replay/serving/temporary_folder.hpp"

namespace tapedeck {

using test::TemporaryFolder;

namespace {

Result<void> write_text(const IndexFolder& folder, const std::string& name, std::string_view text) {
  return folder.write(name, text.size(), [&](const IndexSink& sink) { return sink(text); });
}

std::string text_of(const IndexFolder& folder, const std::string& name) {
  const auto bytes = folder.map(name);
  return bytes ? std::string(bytes->view) : "none";
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("an index file is there for its owner alone, and the newer one takes its place") {
  const TemporaryFolder temporary;
  const IndexFolder folder(temporary / "new/cache");
  CHECK(text_of(folder, "a") == "none");
  REQUIRE(write_text(folder, "a", "one").has_value());
  CHECK(mode_of(temporary / "new/cache") == 0700);
  CHECK(mode_of(folder.file("a")) == 0600);
  const auto old = folder.map("a");
  REQUIRE(write_text(folder, "a", "another").has_value());
  CHECK(text_of(folder, "a") == "another");
  CHECK(old->view == "one");
  folder.drop("a");
  CHECK(text_of(folder, "a") == "none");
}

TEST_CASE("what others may write, a link, an empty file and a folder are no index files") {
  const TemporaryFolder temporary;
  const IndexFolder folder(temporary / "cache");
  REQUIRE(write_text(folder, "a", "one").has_value());
  std::filesystem::create_symlink(folder.file("a"), folder.file("link"));
  std::ofstream(folder.file("empty")).flush();
  std::filesystem::create_directory(folder.file("folder"));
  for (const auto* name : {"link", "empty", "folder"}) CHECK(text_of(folder, name) == "none");
  REQUIRE(::chmod(folder.file("a").c_str(), 0620) == 0);
  CHECK(text_of(folder, "a") == "none");
}

TEST_CASE("a folder that cannot be is a failure that names the file, and an image that breaks off leaves none") {
  const TemporaryFolder temporary;
  std::ofstream(temporary / "file").flush();
  const IndexFolder below_a_file(temporary / "file/cache");
  const auto failed = write_text(below_a_file, "a", "one");
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == "index-unwritable");
  CHECK(failed.error().detail.find("file/cache") != std::string::npos);

  const IndexFolder folder(temporary / "cache");
  CHECK_FALSE(folder.write("a", 3, [](const IndexSink&) { return false; }).has_value());
  CHECK(std::filesystem::is_empty(temporary / "cache"));
}

TEST_CASE("only so many files are kept, and what a killed run left goes after a day") {
  const TemporaryFolder temporary;
  const IndexFolder folder(temporary / "cache");
  REQUIRE(write_text(folder, "first", "x").has_value());
  const auto left = temporary / "cache/left.index.new-1";
  std::ofstream(left) << "half";
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  for (const auto& path : {left, folder.file("first")}) REQUIRE(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0) == 0);
  for (std::size_t i = 0; i < IndexFolder::files_max; ++i) {
    REQUIRE(write_text(folder, std::to_string(i), "x").has_value());
  }
  CHECK(text_of(folder, "first") == "none");
  CHECK(text_of(folder, "0") == "x");
  CHECK_FALSE(std::filesystem::exists(left));
}

TEST_CASE("processes that write the same file at once never show half of it") {
  const TemporaryFolder temporary;
  const IndexFolder folder(temporary / "cache");
  constexpr int processes = 4;
  for (int n = 0; n < processes; ++n) {
    if (::fork() != 0) continue;
    const std::string text(100'000, static_cast<char>('a' + n));
    bool whole = true;
    for (int round = 0; round < 30; ++round) {
      whole = whole && write_text(folder, "a", text).has_value();
      const auto read = text_of(folder, "a");
      whole = whole && read == std::string(text.size(), read[0]);
    }
    ::_exit(whole ? 0 : 1);
  }
  for (int n = 0; n < processes; ++n) {
    int status = 0;
    REQUIRE(::wait(&status) > 0);
    CHECK(status == 0);
  }
  CHECK(text_of(folder, "a").size() == 100'000);
  CHECK(std::distance(std::filesystem::directory_iterator(temporary / "cache"), {}) == 1);
}

}  // namespace tapedeck
