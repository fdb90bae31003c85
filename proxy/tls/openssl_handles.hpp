#pragma once

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tapedeck {

template <auto Free>
struct OpenSslDelete {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, OpenSslDelete<BIO_free>>;
using BignumHandle = std::unique_ptr<BIGNUM, OpenSslDelete<BN_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, OpenSslDelete<X509_EXTENSION_free>>;
using NameConstraintsHandle = std::unique_ptr<NAME_CONSTRAINTS, OpenSslDelete<NAME_CONSTRAINTS_free>>;
using SslHandle = std::unique_ptr<SSL, OpenSslDelete<SSL_free>>;

// For calls that fail only when memory runs out or by a bug of ours.
inline void require_openssl(bool worked, const char* call) {
  if (!worked) throw std::runtime_error(std::string("OpenSSL: ") + call + " failed");
}

}  // namespace tapedeck
