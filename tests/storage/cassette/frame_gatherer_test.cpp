#include "storage/cassette/sqlite/frame_gatherer.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

using Then = FrameGatherer::Then;

constexpr std::uint64_t log_head_bytes = 32;
const std::string page(4096, 'p');

std::string frame_head(char pages_after_commit) {
  std::string head(24, 'h');
  head.replace(4, 4, std::string{'\0', '\0', '\0', pages_after_commit});
  return head;
}

const std::string head = frame_head(0);
const std::string last_head = frame_head(7);
constexpr std::uint64_t frame_bytes = 24 + 4096;

struct Write {
  const char* name;
  std::string bytes;
  std::uint64_t at;
  Then then;
  std::size_t gathered;  // bytes that are kept after it
};

// A log writes what it is told to, as its file layer would.
void check(FrameGatherer& frames, const std::vector<Write>& writes) {
  for (const auto& write : writes) {
    CAPTURE(write.name);
    CHECK(frames.offer(write.bytes, write.at) == write.then);
    CHECK(frames.gathered().size() == write.gathered);
    if (write.then != Then::wait) frames.clear();
  }
}

}  // namespace

TEST_CASE("The frames of a transaction wait for its last one") {
  FrameGatherer frames(0);
  const auto second = log_head_bytes + frame_bytes;
  check(frames, {
                    {"the log's head", std::string(32, 'w'), 0, Then::write_directly, 0},
                    {"a frame's head", head, log_head_bytes, Then::wait, 24},
                    {"its page", page, log_head_bytes + 24, Then::wait, frame_bytes},
                    {"the last frame's head", last_head, second, Then::wait, frame_bytes + 24},
                    {"its page", page, second + 24, Then::write_gathered, 2 * frame_bytes},
                    {"the next transaction", last_head, second + frame_bytes, Then::wait, 24},
                    {"its page", page, second + frame_bytes + 24, Then::write_gathered, frame_bytes},
                });
  CHECK(frames.gathered_at() == second + frame_bytes);
}

TEST_CASE("What is not appended to a log is written at once, after what is kept") {
  const auto end = log_head_bytes + frame_bytes;
  SUBCASE("a page that is written anew within its transaction") {
    FrameGatherer frames(end);
    check(frames, {
                      {"a frame's head", head, end, Then::wait, 24},
                      {"its page", page, end + 24, Then::wait, frame_bytes},
                      {"a page before", page, log_head_bytes + 24, Then::write_directly, frame_bytes},
                  });
  }
  SUBCASE("heads whose sums are written anew before a commit, the last one too") {
    FrameGatherer frames(end + frame_bytes);
    check(frames, {
                      {"a head before", head, log_head_bytes, Then::write_directly, 0},
                      {"the last head", last_head, end, Then::write_directly, 0},
                      {"what is appended then", head, end + frame_bytes, Then::wait, 24},
                  });
  }
  SUBCASE("a page whose frame's head was written directly ends where the next head stands") {
    FrameGatherer frames(end + frame_bytes);
    check(frames, {
                      {"a page before", page, log_head_bytes + 24, Then::write_directly, 0},
                      {"the head behind it", last_head, end, Then::write_directly, 0},
                  });
  }
  SUBCASE("a log that begins anew") {
    FrameGatherer frames(end + frame_bytes);
    check(frames, {
                      {"the log's head", std::string(32, 'w'), 0, Then::write_directly, 0},
                      {"a head, before the end of what was", last_head, log_head_bytes, Then::wait, 24},
                      {"its page", page, log_head_bytes + 24, Then::write_gathered, frame_bytes},
                  });
  }
  SUBCASE("a page without a head") {
    FrameGatherer frames(end);
    check(frames, {{"a page", page, end, Then::write_directly, 0}});
  }
  SUBCASE("behind the end") {
    FrameGatherer frames(end);
    check(frames, {
                      {"a head", last_head, end + 1, Then::write_directly, 0},
                      {"its page", page, end + 25, Then::write_directly, 0},
                      {"the next head", head, end + 1 + frame_bytes, Then::wait, 24},
                  });
  }
  SUBCASE("after frames that were given up") {
    FrameGatherer frames(end);
    check(frames, {{"a head", head, end, Then::wait, 24}, {"its page", page, end + 24, Then::wait, frame_bytes}});
    frames.drop();
    check(frames, {
                      {"another transaction's head", last_head, end, Then::wait, 24},
                      {"its page", page, end + 24, Then::write_gathered, frame_bytes},
                  });
  }
  SUBCASE("after a truncation") {
    FrameGatherer frames(end);
    frames.truncated(log_head_bytes);
    check(frames, {{"a head", head, log_head_bytes, Then::wait, 24}});
  }
}

TEST_CASE("A page that is written in two parts is never kept in part behind the last head") {
  FrameGatherer frames(log_head_bytes);
  check(frames, {
                    {"the last head", last_head, log_head_bytes, Then::wait, 24},
                    {"a part", page.substr(0, 1000), log_head_bytes + 24, Then::write_gathered, 1024},
                    {"the rest", page.substr(1000), log_head_bytes + 1024, Then::write_directly, 0},
                });
}

TEST_CASE("No more is kept than SQLite writes at a time") {
  for (const std::size_t page_bytes : {512, 4096, 65536}) {
    CAPTURE(page_bytes);
    const std::string large_page(page_bytes, 'p');
    FrameGatherer frames(log_head_bytes);
    std::uint64_t at = log_head_bytes;
    std::size_t most = 0;
    int writes = 0;
    for (int frame = 0; frame < 1000; ++frame) {
      CHECK(frames.offer(head, at) == Then::wait);
      const auto then = frames.offer(large_page, at + 24);
      at += 24 + page_bytes;
      most = std::max(most, frames.gathered().size());
      if (then != Then::write_gathered) continue;
      ++writes;
      frames.clear();
    }
    CHECK(writes > 0);
    CHECK(most < 128 * 1024);
  }
}
