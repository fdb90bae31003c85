#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace tapedeck {

// One flat stretch of bytes, written at its end and taken from its front. Keeps its memory until release(), so that a
// busy connection allocates nothing. Views stay valid until the next call that writes.
class ByteQueue {
 public:
  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() const { return {data_.get() + begin_, size()}; }

  // Room for `bytes` more; what was written there counts once added() says so.
  std::span<char> space(std::size_t bytes);
  void added(std::size_t bytes);
  void append(std::string_view bytes);
  void consume(std::size_t bytes);
  // Gives the memory back if nothing is held.
  void release();

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tapedeck
