#pragma once

#include <memory>

#include "storage/redaction/coding_streams.hpp"

namespace tapedeck {

// `gzip` (RFC 1952), and `deflate`, which is read as zlib (RFC 1950) or raw (RFC 1951) and written as zlib.
std::unique_ptr<ContentDecoder> make_zlib_decoder(bool gzip);
std::unique_ptr<ContentEncoder> make_zlib_encoder(bool gzip);

}  // namespace tapedeck
