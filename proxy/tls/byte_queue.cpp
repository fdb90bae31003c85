#include "proxy/tls/byte_queue.hpp"

#include <algorithm>
#include <cassert>

namespace tapedeck {

std::span<char> ByteQueue::space(std::size_t bytes) {
  if (capacity_ - end_ < bytes) {
    const std::size_t held = size();
    if (capacity_ - held >= bytes) {
      std::memmove(data_.get(), data_.get() + begin_, held);
    } else {
      capacity_ = std::max({held + bytes, 2 * capacity_, std::size_t{4096}});
      auto grown = std::make_unique_for_overwrite<char[]>(capacity_);
      if (held > 0) std::memcpy(grown.get(), data_.get() + begin_, held);
      data_ = std::move(grown);
    }
    begin_ = 0;
    end_ = held;
  }
  return {data_.get() + end_, bytes};
}

void ByteQueue::added(std::size_t bytes) {
  assert(bytes <= capacity_ - end_);
  end_ += bytes;
}

void ByteQueue::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(space(bytes.size()).data(), bytes.data(), bytes.size());
  added(bytes.size());
}

void ByteQueue::consume(std::size_t bytes) {
  assert(bytes <= size());
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

void ByteQueue::release() {
  if (!empty()) return;
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace tapedeck
