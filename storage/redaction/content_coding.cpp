#include "storage/redaction/content_coding.hpp"

#include "storage/exchange/headers.hpp"
#include "storage/redaction/coding_streams.hpp"

namespace tapedeck {

namespace {

DecodedPrefix identity_prefix(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > bytes_max) return {{}, 0, DecodedPrefix::End::too_large};
  return {std::string(bytes), bytes.size(), DecodedPrefix::End::whole};
}

DecodedPrefix::End decode_to_end(ContentDecoder& decoder, std::string_view& rest, std::string& text,
                                 std::size_t bytes_max) {
  while (true) {
    const auto state = decoder.decode(rest, text);
    if (text.size() > bytes_max) return DecodedPrefix::End::too_large;
    switch (state) {
      case ContentDecoder::State::working:
        break;
      case ContentDecoder::State::hungry:
        return DecodedPrefix::End::cut;
      case ContentDecoder::State::ended:
        return DecodedPrefix::End::whole;
      case ContentDecoder::State::corrupt:
        return DecodedPrefix::End::corrupt;
    }
  }
}

const char* name_of(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::gzip:
      return "gzip";
    case ContentCoding::deflate:
      return "deflate";
    case ContentCoding::br:
      return "br";
    case ContentCoding::zstd:
      return "zstd";
    case ContentCoding::identity:
      break;
  }
  return "identity";
}

}  // namespace

std::optional<ContentCoding> content_coding_of(std::string_view value) {
  const auto begin = value.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return ContentCoding::identity;
  value = value.substr(begin, value.find_last_not_of(" \t") - begin + 1);
  if (equal_without_case(value, "x-gzip")) return ContentCoding::gzip;
  for (const auto coding :
       {ContentCoding::identity, ContentCoding::gzip, ContentCoding::deflate, ContentCoding::br, ContentCoding::zstd}) {
    if (equal_without_case(value, name_of(coding))) return coding;
  }
  return std::nullopt;
}

DecodedPrefix decode_content_prefix(ContentCoding coding, std::string_view bytes, std::size_t bytes_max) {
  if (coding == ContentCoding::identity) return identity_prefix(bytes, bytes_max);
  const auto decoder = make_decoder(coding);
  DecodedPrefix prefix;
  auto rest = bytes;
  prefix.end = decode_to_end(*decoder, rest, prefix.text, bytes_max);
  prefix.bytes_read = bytes.size() - rest.size();
  return prefix;
}

Result<std::string> decode_content(ContentCoding coding, std::string_view bytes, std::size_t bytes_max) {
  auto prefix = decode_content_prefix(coding, bytes, bytes_max);
  const char* const name = name_of(coding);
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
  const auto encoder = make_encoder(coding);
  std::string coded;
  encoder->encode(text, coded);
  encoder->finish(end, coded);
  return coded;
}

}  // namespace tapedeck
