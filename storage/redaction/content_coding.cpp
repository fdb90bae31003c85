#include "storage/redaction/content_coding.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <zlib.h>

#include "storage/exchange/headers.hpp"

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

class Inflater {
 public:
  explicit Inflater(int bits) {
    if (inflateInit2(&stream_, bits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Reads one gzip member, zlib stream or raw stream at the beginning of `bytes`, which shrinks by what was read.
  DecodedPrefix::End read(std::string_view& bytes, std::string& text, std::size_t bytes_max) {
    inflateReset(&stream_);
    std::array<char, piece_bytes> piece;
    while (true) {
      stream_.next_in = input_of(bytes);
      stream_.avail_in = slice(bytes.size());
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      const auto offered = stream_.avail_in;
      const int outcome = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t made = piece.size() - stream_.avail_out;
      bytes.remove_prefix(offered - stream_.avail_in);
      if (made > bytes_max - text.size()) return DecodedPrefix::End::too_large;
      text.append(piece.data(), made);
      if (outcome == Z_STREAM_END) return DecodedPrefix::End::whole;
      if (outcome == Z_MEM_ERROR) throw std::bad_alloc();
      if (outcome != Z_OK && outcome != Z_BUF_ERROR) return DecodedPrefix::End::corrupt;
      if (bytes.empty() && made < piece.size()) return DecodedPrefix::End::cut;
    }
  }

 private:
  z_stream stream_{};
};

// RFC 1950 §2.2: method 8 and a check that the first two bytes are a multiple of 31. A raw stream never starts so,
// since its padding bits would have to be set.
bool has_zlib_header(std::string_view bytes) {
  if (bytes.size() < 2) return !bytes.empty() && (bytes[0] & 0x0F) == 8;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  return (first & 0x0F) == 8 && (first * 256 + second) % 31 == 0;
}

DecodedPrefix identity_prefix(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > bytes_max) return {{}, 0, DecodedPrefix::End::too_large};
  return {std::string(bytes), bytes.size(), DecodedPrefix::End::whole};
}

}  // namespace

std::optional<ContentCoding> content_coding_of(std::string_view value) {
  const auto begin = value.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return ContentCoding::identity;
  value = value.substr(begin, value.find_last_not_of(" \t") - begin + 1);
  if (equal_without_case(value, "identity")) return ContentCoding::identity;
  if (equal_without_case(value, "gzip") || equal_without_case(value, "x-gzip")) return ContentCoding::gzip;
  if (equal_without_case(value, "deflate")) return ContentCoding::deflate;
  return std::nullopt;
}

DecodedPrefix decode_content_prefix(ContentCoding coding, std::string_view bytes, std::size_t bytes_max) {
  if (coding == ContentCoding::identity) return identity_prefix(bytes, bytes_max);
  const bool gzip = coding == ContentCoding::gzip;
  Inflater inflater(gzip ? window_bits + with_gzip_wrapper : has_zlib_header(bytes) ? window_bits : -window_bits);
  DecodedPrefix prefix;
  auto rest = bytes;
  // RFC 1952 §2.2: a gzip file is a series of members.
  do {
    prefix.end = inflater.read(rest, prefix.text, bytes_max);
  } while (gzip && prefix.end == DecodedPrefix::End::whole && !rest.empty());
  if (prefix.end == DecodedPrefix::End::whole && !rest.empty()) prefix.end = DecodedPrefix::End::corrupt;
  prefix.bytes_read = bytes.size() - rest.size();
  return prefix;
}

Result<std::string> decode_content(ContentCoding coding, std::string_view bytes, std::size_t bytes_max) {
  auto prefix = decode_content_prefix(coding, bytes, bytes_max);
  const char* const name = coding == ContentCoding::deflate ? "deflate" : "gzip";
  switch (prefix.end) {
    case DecodedPrefix::End::whole:
      return {boost::system::in_place_value, std::move(prefix.text)};
    case DecodedPrefix::End::too_large:
      return Failure{"body-too-large", Blame::us,
                     "the body is over " + std::to_string(bytes_max) + " bytes when its content coding is undone"};
    case DecodedPrefix::End::cut:
      return Failure{"body-undecodable", Blame::us, std::string("the ") + name + " body ends too early"};
    case DecodedPrefix::End::corrupt:
      break;
  }
  return Failure{"body-undecodable", Blame::us, std::string("the ") + name + " body is corrupt"};
}

std::string encode_content(ContentCoding coding, std::string_view text, CodedEnd end) {
  if (coding == ContentCoding::identity) return std::string(text);
  z_stream stream{};
  const int bits = coding == ContentCoding::gzip ? window_bits + with_gzip_wrapper : window_bits;
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string coded;
  std::array<char, piece_bytes> piece;
  bool done = false;
  while (!done) {
    stream.next_in = input_of(text);
    stream.avail_in = slice(text.size());
    const auto offered = stream.avail_in;
    const bool last = offered == text.size();
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int outcome = deflate(&stream, !last ? Z_NO_FLUSH : end == CodedEnd::closed ? Z_FINISH : Z_SYNC_FLUSH);
    text.remove_prefix(offered - stream.avail_in);
    coded.append(piece.data(), piece.size() - stream.avail_out);
    done = end == CodedEnd::closed ? outcome == Z_STREAM_END : text.empty() && stream.avail_out != 0;
  }
  deflateEnd(&stream);
  return coded;
}

}  // namespace tapedeck
