#include "storage/redaction/coding_streams.hpp"

#include <array>
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <new>
#include <zstd.h>

#include "storage/redaction/zlib_coding.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t piece_bytes = 16 * 1024;
constexpr int window_bits = 18;  // what is coded anew needs little memory here and at the client

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// RFC 7932.
class BrotliDecoder : public ContentDecoder {
 public:
  BrotliDecoder() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance) {
    if (!state_) throw std::bad_alloc();
  }

  State decode(std::string_view& coded, std::string& text) override {
    if (BrotliDecoderIsFinished(state_.get())) return coded.empty() ? State::ended : State::corrupt;
    std::array<char, piece_bytes> piece;
    auto* in = bytes_of(coded);
    auto in_size = coded.size();
    auto* out = reinterpret_cast<std::uint8_t*>(piece.data());
    auto out_size = piece.size();
    const auto outcome = BrotliDecoderDecompressStream(state_.get(), &in_size, &in, &out_size, &out, nullptr);
    coded.remove_prefix(coded.size() - in_size);
    text.append(piece.data(), piece.size() - out_size);
    switch (outcome) {
      case BROTLI_DECODER_RESULT_SUCCESS:
        return coded.empty() ? State::ended : State::working;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return State::working;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return State::hungry;
      case BROTLI_DECODER_RESULT_ERROR:
        break;
    }
    return State::corrupt;
  }

 private:
  std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state_;
};

class BrotliEncoder : public ContentEncoder {
 public:
  BrotliEncoder() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr), BrotliEncoderDestroyInstance) {
    constexpr std::uint32_t quality = 5;
    if (!state_) throw std::bad_alloc();
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, quality);
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, window_bits);
  }

  void encode(std::string_view text, std::string& coded) override { run(text, BROTLI_OPERATION_PROCESS, coded); }
  void finish(CodedEnd end, std::string& coded) override {
    run({}, end == CodedEnd::closed ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH, coded);
  }

 private:
  void run(std::string_view text, BrotliEncoderOperation operation, std::string& coded) {
    std::array<char, piece_bytes> piece;
    auto* in = bytes_of(text);
    auto in_size = text.size();
    do {
      auto* out = reinterpret_cast<std::uint8_t*>(piece.data());
      auto out_size = piece.size();
      if (!BrotliEncoderCompressStream(state_.get(), operation, &in_size, &in, &out_size, &out, nullptr)) {
        throw std::bad_alloc();
      }
      coded.append(piece.data(), piece.size() - out_size);
    } while (in_size > 0 || BrotliEncoderHasMoreOutput(state_.get()));
  }

  std::unique_ptr<BrotliEncoderState, decltype(&BrotliEncoderDestroyInstance)> state_;
};

// RFC 8878; several frames are one text.
class ZstdDecoder : public ContentDecoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    // RFC 9659 §3: no more than 8 MiB are asked of who decodes.
    constexpr int window_bits_max = 23;
    if (!context_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window_bits_max);
  }

  State decode(std::string_view& coded, std::string& text) override {
    std::array<char, piece_bytes> piece;
    ZSTD_inBuffer in{coded.data(), coded.size(), 0};
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    if (coded.empty() && at_frame_end_) return State::ended;
    const auto outcome = ZSTD_decompressStream(context_.get(), &out, &in);
    coded.remove_prefix(in.pos);
    text.append(piece.data(), out.pos);
    if (ZSTD_isError(outcome) != 0) return State::corrupt;
    at_frame_end_ = outcome == 0;
    if (!coded.empty() || out.pos == piece.size()) return State::working;
    return at_frame_end_ ? State::ended : State::hungry;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  bool at_frame_end_ = false;
};

class ZstdEncoder : public ContentEncoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_bits);
  }

  void encode(std::string_view text, std::string& coded) override { run(text, ZSTD_e_continue, coded); }
  void finish(CodedEnd end, std::string& coded) override {
    run({}, end == CodedEnd::closed ? ZSTD_e_end : ZSTD_e_flush, coded);
  }

 private:
  void run(std::string_view text, ZSTD_EndDirective directive, std::string& coded) {
    std::array<char, piece_bytes> piece;
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out{piece.data(), piece.size(), 0};
      const auto left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0) throw std::bad_alloc();
      coded.append(piece.data(), out.pos);
      done = in.pos == in.size && (directive == ZSTD_e_continue ? out.pos < piece.size() : left == 0);
    }
  }

  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

}  // namespace

std::unique_ptr<ContentDecoder> make_decoder(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::gzip:
      return make_zlib_decoder(true);
    case ContentCoding::deflate:
      return make_zlib_decoder(false);
    case ContentCoding::br:
      return std::make_unique<BrotliDecoder>();
    case ContentCoding::zstd:
      return std::make_unique<ZstdDecoder>();
    case ContentCoding::identity:
      break;
  }
  return nullptr;
}

std::unique_ptr<ContentEncoder> make_encoder(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::gzip:
      return make_zlib_encoder(true);
    case ContentCoding::deflate:
      return make_zlib_encoder(false);
    case ContentCoding::br:
      return std::make_unique<BrotliEncoder>();
    case ContentCoding::zstd:
      return std::make_unique<ZstdEncoder>();
    case ContentCoding::identity:
      break;
  }
  return nullptr;
}

}  // namespace tapedeck
