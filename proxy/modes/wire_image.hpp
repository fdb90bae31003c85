#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/profile.hpp"
#include "proxy/http/served_head.hpp"
#include "storage/cassette/cassette_reader.hpp"

namespace tapedeck {

// A recorded answer as the bytes that go out, made once and sent many times. A body that stays in the cassette is sent
// from there behind `bytes`, each piece as a chunk of its own if it is `chunked`, and behind it `bytes_after`.
struct WireImage {
  std::string bytes;
  StoredBody long_body;  // of size 0: there is none
  bool chunked = false;
  std::string bytes_after;
  bool close_after = false;        // the recording was cut here, or its end is the connection's
  std::int64_t first_byte_us = 0;  // recorded pace, for --timing
  std::int64_t finished_us = 0;
  mutable bool served_lately = false;  // for the cache that keeps it

  bool is_long() const { return long_body.size != 0; }
};

// What of the client's side changes an image; everything else of ServedContext is the usual: HTTP/1.1, kept alive.
WireImage make_wire_image(StoredExchange&& stored, const ServedContext& context, const std::vector<Profile>& profiles,
                          bool mark);

// Ready-made images of one worker, bounded in bytes. An image is kept when it is put for the second time: most of what
// is asked for once in a big cassette is not asked for again soon, and would push out what is. Those go first that were
// not served since they were last passed over (the clock algorithm), so that whoever remembers an image need not come
// here to say that it is in use.
class WireImageCache {
 public:
  explicit WireImageCache(std::size_t bytes_max) : bytes_max_(bytes_max), marks_(mark_sets * marks_in_set) {}

  std::shared_ptr<const WireImage> find(std::string_view key);
  // Whether it is kept. An image larger than an eighth of the cache never is.
  bool put(std::string_view key, std::shared_ptr<const WireImage> image);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const WireImage> image;
  };
  // Keys put lately for the first time are known by marks, in one of many sets by their hash. More marks would keep
  // more of what is asked for at random, and memory that is seldom read again makes each answer dearer.
  static constexpr std::size_t mark_sets = 1'024;
  static constexpr std::size_t marks_in_set = 8;

  bool was_put_before(std::string_view key);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::vector<std::uint16_t> marks_;  // 0: none
  std::minstd_rand replaced_;
  std::list<Entry> entries_;  // in the order in which they came or were passed over, last ones first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace tapedeck
