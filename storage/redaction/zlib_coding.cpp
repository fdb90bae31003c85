#include "storage/redaction/zlib_coding.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <zlib.h>

namespace tapedeck {

namespace {

constexpr int window_bits = 15;
constexpr int with_gzip_wrapper = 16;
constexpr std::size_t piece_bytes = 16 * 1024;

// zlib counts input in an unsigned int, so longer input goes in by slices.
uInt slice(std::size_t bytes) {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

Bytef* input_of(std::string_view bytes) {
  // zlib's interface predates const; it never writes to its input.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

// RFC 1950 §2.2: method 8 and a check that the first two bytes are a multiple of 31. A raw stream never starts so,
// since its padding bits would have to be set.
bool has_zlib_header(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  return (first & 0x0F) == 8 && (first * 256 + second) % 31 == 0;
}

class ZlibDecoder : public ContentDecoder {
 public:
  explicit ZlibDecoder(bool gzip) : gzip_(gzip) {
    if (gzip_) begin(window_bits + with_gzip_wrapper);
  }
  ~ZlibDecoder() override {
    if (begun_) inflateEnd(&stream_);
  }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

  State decode(std::string_view& coded, std::string& text) override {
    if (!begun_ && !tell_form(coded)) return State::hungry;
    if (!beginning_.empty()) {
      std::string_view beginning = beginning_;
      const auto state = inflate_some(beginning, text);
      beginning_.erase(0, beginning_.size() - beginning.size());
      if (state != State::hungry) return state;
    }
    if (ended_) {
      if (coded.empty()) return State::ended;
      // RFC 1952 §2.2: a gzip file is a series of members.
      if (!gzip_) return State::corrupt;
      inflateReset(&stream_);
      ended_ = false;
    }
    return inflate_some(coded, text);
  }

 private:
  void begin(int bits) {
    if (inflateInit2(&stream_, bits) != Z_OK) throw std::bad_alloc();
    begun_ = true;
  }

  // Two bytes tell the forms of `deflate` apart.
  bool tell_form(std::string_view& coded) {
    const auto taken = std::min<std::size_t>(coded.size(), 2 - beginning_.size());
    beginning_.append(coded.substr(0, taken));
    coded.remove_prefix(taken);
    if (beginning_.size() < 2) return false;
    begin(has_zlib_header(beginning_) ? window_bits : -window_bits);
    return true;
  }

  State inflate_some(std::string_view& coded, std::string& text) {
    std::array<char, piece_bytes> piece;
    stream_.next_in = input_of(coded);
    stream_.avail_in = slice(coded.size());
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = static_cast<uInt>(piece.size());
    const auto offered = stream_.avail_in;
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t made = piece.size() - stream_.avail_out;
    coded.remove_prefix(offered - stream_.avail_in);
    text.append(piece.data(), made);
    if (outcome == Z_MEM_ERROR) throw std::bad_alloc();
    if (outcome == Z_STREAM_END) {
      ended_ = true;
      return coded.empty() ? State::ended : State::working;
    }
    if (outcome != Z_OK && outcome != Z_BUF_ERROR) return State::corrupt;
    return coded.empty() && made < piece.size() ? State::hungry : State::working;
  }

  z_stream stream_{};
  bool gzip_;
  bool begun_ = false;
  bool ended_ = false;
  std::string beginning_;
};

class ZlibEncoder : public ContentEncoder {
 public:
  explicit ZlibEncoder(bool gzip) {
    constexpr int memory_level = 8;
    const int bits = gzip ? window_bits + with_gzip_wrapper : window_bits;
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~ZlibEncoder() override { deflateEnd(&stream_); }
  ZlibEncoder(const ZlibEncoder&) = delete;
  ZlibEncoder& operator=(const ZlibEncoder&) = delete;

  void encode(std::string_view text, std::string& coded) override { run(text, Z_NO_FLUSH, coded); }
  void finish(CodedEnd end, std::string& coded) override {
    run({}, end == CodedEnd::closed ? Z_FINISH : Z_SYNC_FLUSH, coded);
  }

 private:
  void run(std::string_view text, int flush, std::string& coded) {
    std::array<char, piece_bytes> piece;
    for (bool done = false; !done;) {
      stream_.next_in = input_of(text);
      stream_.avail_in = slice(text.size());
      const auto offered = stream_.avail_in;
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      const int outcome = deflate(&stream_, flush);
      text.remove_prefix(offered - stream_.avail_in);
      coded.append(piece.data(), piece.size() - stream_.avail_out);
      done = flush == Z_FINISH ? outcome == Z_STREAM_END : text.empty() && stream_.avail_out != 0;
    }
  }

  z_stream stream_{};
};

}  // namespace

std::unique_ptr<ContentDecoder> make_zlib_decoder(bool gzip) {
  return std::make_unique<ZlibDecoder>(gzip);
}

std::unique_ptr<ContentEncoder> make_zlib_encoder(bool gzip) {
  return std::make_unique<ZlibEncoder>(gzip);
}

}  // namespace tapedeck
