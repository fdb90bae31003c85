#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/profile.hpp"
#include "proxy/http/served_head.hpp"
#include "proxy/modes/seen_lately.hpp"
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

// Ready-made images of one worker, bounded in bytes. An image is kept when it is put for the second time. Those go
// first that were not served since they were last passed over (the clock algorithm), so that whoever remembers an image
// need not come here to say that it is in use.
class WireImageCache {
 public:
  explicit WireImageCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::shared_ptr<const WireImage> find(std::string_view key);
  // Whether it is kept. An image larger than an eighth of the cache never is.
  bool put(std::string_view key, std::shared_ptr<const WireImage> image);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const WireImage> image;
  };
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  SeenLately put_lately_;
  std::list<Entry> entries_;  // in the order in which they came or were passed over, last ones first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace tapedeck
