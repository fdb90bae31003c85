#include "proxy/tls/tls_failure.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

namespace tapedeck {
namespace {

using Kind = NetworkFailure::Kind;

// Received alerts are reasons from here on (SSL_AD_REASON_OFFSET of OpenSSL's ssl.h), one a number of RFC 8446 §6.
constexpr int alert_reasons = SSL_AD_REASON_OFFSET;
constexpr int alerts_max = 256;

// What to do about it, for the verify results that a user of --upstream-ca can mend.
std::string mend_of(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return " (give its CA with --upstream-ca FILE)";
    default:
      return {};
  }
}

TlsFailure certificate_failure(long verify_result, const std::string& host) {
  std::string reason = X509_verify_cert_error_string(verify_result);
  return {Kind::certificate, reason,
          "the certificate of " + host + " is not trusted: " + reason + mend_of(verify_result)};
}

bool says_untrusted(int alert) {
  return alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_BAD_CERTIFICATE || alert == SSL_AD_CERTIFICATE_UNKNOWN;
}

// OpenSSL 3.0 calls the alerts of TLS 1.3 unknown; this one says what is missing (RFC 8446 §6.2).
constexpr int certificate_required = 116;

std::string name_of_alert(int alert) {
  if (alert == certificate_required) return "certificate required";
  const std::string name = SSL_alert_desc_string_long(alert);
  return name == "unknown" ? "number " + std::to_string(alert) : name;
}

TlsFailure alert_failure(int alert, bool by_client, const std::string& host) {
  const std::string name = name_of_alert(alert);
  if (!by_client) return {Kind::tls_alert, name, host + " ended TLS with the alert \"" + name + "\""};
  std::string text = "the client ended TLS for " + host + " with the alert \"" + name + "\"";
  if (says_untrusted(alert)) {
    text +=
        ": it does not trust tapedeck's CA; give it the file that `tapedeck ca path` names, or see `tapedeck doctor`";
  }
  return {Kind::tls_alert, name, text};
}

}  // namespace

TlsFailure take_tls_failure(const SSL* ssl, std::string_view asked_for) {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  const bool server = SSL_is_server(const_cast<SSL*>(ssl)) == 1;
  const std::string host(asked_for.empty() ? "the peer" : asked_for);
  const int reason = ERR_GET_REASON(error);

  if (error == 0) return {Kind::closed, "closed", host + " closed the connection within TLS"};
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return certificate_failure(SSL_get_verify_result(ssl), host);
    if (reason >= alert_reasons && reason < alert_reasons + alerts_max) {
      return alert_failure(reason - alert_reasons, server, host);
    }
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      const std::string who = server ? "the client" : host;
      return {Kind::closed, "unexpected eof", who + " closed the connection without ending TLS"};
    }
  }
  const char* words = ERR_reason_error_string(error);
  const std::string code = words ? words : "unknown";
  return {Kind::protocol, code,
          server ? "TLS with the client of " + host + " failed: " + code : "TLS with " + host + " failed: " + code};
}

}  // namespace tapedeck
