#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/modes/wire_image.hpp"

namespace tapedeck {

// What a session sends next, in order. Answers are joined so that they go out in one write; a lone one is sent from
// where it is kept, without a copy.
class PendingOutput {
 public:
  bool empty() const { return bytes().empty(); }
  std::string_view bytes() const { return image_ ? std::string_view(image_->bytes) : text_; }

  void put(std::shared_ptr<const WireImage> image) {
    if (empty()) {
      image_ = std::move(image);
    } else {
      text() += image->bytes;
    }
  }
  // To be appended to. Valid until the next call.
  std::string& text() {
    if (image_) keep_behind(0);
    return text_;
  }

  // The first `bytes` have gone out.
  void sent(std::size_t bytes) {
    if (image_) {
      keep_behind(bytes);
    } else {
      text_.erase(0, bytes);
    }
    if (text_.empty() && text_.capacity() > kept_bytes_max) release();
  }
  void clear() { sent(bytes().size()); }
  void release() {
    image_.reset();
    std::string().swap(text_);
  }

 private:
  static constexpr std::size_t kept_bytes_max = 128 * 1024;

  void keep_behind(std::size_t bytes) {
    text_.assign(image_->bytes, bytes);
    image_.reset();
  }

  std::shared_ptr<const WireImage> image_;
  std::string text_;  // empty while there is an image
};

}  // namespace tapedeck
