#include "proxy/http/served_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "proxy/http/authority.hpp"
#include "proxy/http/body_decoder.hpp"
#include "proxy/http/field_syntax.hpp"
#include "proxy/http/hop_by_hop.hpp"

namespace tapedeck {

namespace {

bool named(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() && equal_without_case(name, wanted);
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view other) { return named(name, other); });
}

// What a receiver may check the body's bytes against; untrue once redaction changed them.
constexpr std::array<std::string_view, 5> digest_names = {"digest", "content-digest", "repr-digest", "content-md5",
                                                          "x-goog-hash"};

constexpr std::array<std::string_view, 3> own_request_names = {"proxy-authorization", "proxy-connection",
                                                               "tapedeck-session"};

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

// Writes the framing fields of one head in the place where they stood, and adds at the end what did not stand anywhere.
class FramingFields {
 public:
  // `length` is nullopt to keep the value that stands there, or else `fallback`.
  FramingFields(BodyFraming framing, std::optional<std::uint64_t> length, std::uint64_t fallback = 0)
      : framing_(framing), length_(length), fallback_(fallback) {}

  // Whether the field was one of framing, and so is dealt with.
  bool write(std::string& head, HeaderView field) {
    const bool is_length = named(field.name, "content-length");
    if (!is_length && !named(field.name, "transfer-encoding")) return false;
    if (written_ || is_length != (framing_ == BodyFraming::content_length)) return true;
    if (is_length) {
      append_field(head, field.name, length_text(field.value));
    } else if (framing_ == BodyFraming::chunked) {
      append_field(head, field.name, named(field.value, "chunked") ? field.value : "chunked");
    } else {
      return true;
    }
    written_ = true;
    return true;
  }

  void finish(std::string& head) const {
    if (written_) return;
    if (framing_ == BodyFraming::content_length) append_field(head, "Content-Length", length_text({}));
    if (framing_ == BodyFraming::chunked) append_field(head, "Transfer-Encoding", "chunked");
  }

 private:
  std::string length_text(std::string_view recorded) const {
    if (length_) return std::to_string(*length_);
    const bool number = !recorded.empty() && recorded.find_first_not_of("0123456789") == std::string_view::npos;
    return number ? std::string(recorded) : std::to_string(fallback_);
  }

  BodyFraming framing_;
  std::optional<std::uint64_t> length_;
  std::uint64_t fallback_;
  bool written_ = false;
};

bool is_bodyless(int status, std::string_view request_method) {
  return request_method == "HEAD" || status / 100 == 1 || status == 204 || status == 304;
}

void append_status_line(std::string& head, int status, std::string_view reason) {
  head.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  if (is_field_value(reason)) head.append(reason);
  head.append("\r\n");
}

// Location in reverse mode: an upstream URL becomes one of ours, so that the client stays with us. Everything else,
// relative references included, is right as it is.
std::string mapped_location(std::string_view value, const ServedContext& context, const Origin& origin) {
  std::string_view rest = value;
  std::string client_prefix;
  const auto scheme_end = value.find("://");
  if (scheme_end != std::string_view::npos && named(value.substr(0, scheme_end), origin.scheme)) {
    rest.remove_prefix(scheme_end + 3);
    client_prefix = std::string(context.client_scheme) + "://";
  } else if (value.starts_with("//")) {
    rest.remove_prefix(2);
    client_prefix = "//";
  } else {
    return std::string(value);
  }
  const auto authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  const auto authority = parse_authority(rest.substr(0, authority_end));
  const bool ours = authority && authority->host == origin.host &&
                    authority->port.value_or(default_port(origin.scheme)) == origin.port;
  if (!ours || !is_field_value(context.client_authority)) return std::string(value);
  return client_prefix.append(context.client_authority).append(rest.substr(authority_end));
}

// The table: whether a field of the upstream's response is left out.
bool is_left_out(std::string_view name, BodyForm form, BodyFraming framing, const ServedContext& context) {
  if (named(name, "alt-svc")) return true;
  if (named(name, "strict-transport-security")) return context.reverse;
  if (named(name, "trailer")) return framing != BodyFraming::chunked;
  if (named(name, "content-encoding")) return form == BodyForm::identity;
  return form != BodyForm::verbatim && is_one_of(digest_names, name);
}

void append_response_field(std::string& head, HeaderView field, const ServedContext& context, const Origin& origin) {
  const bool mapped = context.reverse && (named(field.name, "location") || named(field.name, "content-location"));
  if (mapped) {
    append_field(head, field.name, mapped_location(field.value, context, origin));
  } else {
    append_field(head, field.name, field.value);
  }
}

// A status that no response has, from an edited cassette.
bool is_usable(int status) {
  return status >= 200 && status <= 599;
}

int served_status(int status) {
  return is_usable(status) ? status : 502;
}

// The Content-Length of an answer to HEAD, and of 304, tells of another response's body and is passed on as it is.
bool keeps_recorded_length(int status, const ServedContext& context) {
  return status == 304 || (context.request_method == "HEAD" && status != 204);
}

std::string host_value(std::string_view sent, const Origin& origin) {
  const auto authority = parse_authority(sent);
  const bool same = authority && authority->host == origin.host &&
                    authority->port.value_or(default_port(origin.scheme)) == origin.port;
  return same ? std::string(sent) : origin.authority();
}

bool is_clean(HeaderView field) {
  return is_field_name(field.name) && is_field_value(field.value);
}

}  // namespace

Headers end_to_end_fields(const Headers& headers) {
  const HopByHop hop_by_hop(headers);
  Headers kept;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (const auto field = headers[i]; !hop_by_hop.contains(field.name)) kept.add(field.name, field.value);
  }
  return kept;
}

BodyFraming served_framing(const Response& response, const ServedContext& context) {
  if (is_bodyless(served_status(response.status), context.request_method)) return BodyFraming::none;
  const auto recorded = response.body.framing;
  if (recorded == BodyFraming::none || recorded == BodyFraming::content_length) return BodyFraming::content_length;
  return context.http_1_0 ? BodyFraming::until_close : BodyFraming::chunked;
}

// A status line, ": " and CRLF of each field, and framing fields of our own.
std::size_t served_head_bytes(const Response& response) {
  const auto& headers = response.headers;
  return response.reason.size() + headers.text_bytes() + 4 * headers.size() + 128;
}

std::string served_head(const Response& response, const ServedContext& context, const Origin& origin,
                        std::optional<std::uint64_t> body_bytes, std::string head) {
  const int status = served_status(response.status);
  const auto framing = served_framing(response, context);
  const HopByHop hop_by_hop(response.headers);
  const bool recorded_length = keeps_recorded_length(status, context);
  FramingFields framing_fields = recorded_length ? FramingFields(BodyFraming::content_length, std::nullopt)
                                                 : FramingFields(framing, body_bytes, response.body.bytes.size());

  head.reserve(head.size() + served_head_bytes(response));
  append_status_line(head, status, is_usable(response.status) ? response.reason : std::string_view());
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const auto field = response.headers[i];
    if (!is_clean(field) || hop_by_hop.contains(field.name)) continue;
    if (is_left_out(field.name, response.body.form, framing, context) || framing_fields.write(head, field)) continue;
    append_response_field(head, field, context, origin);
  }
  if (!recorded_length) framing_fields.finish(head);
  if (context.close || framing == BodyFraming::until_close) {
    append_field(head, "Connection", "close");
  } else if (context.http_1_0) {
    append_field(head, "Connection", "keep-alive");
  }
  head.append("\r\n");
  return head;
}

std::string served_interim_head(const InterimResponse& interim) {
  if (interim.status / 100 != 1 || interim.status == 101) return {};
  const HopByHop hop_by_hop(interim.headers);
  FramingFields no_framing(BodyFraming::none, std::nullopt);
  std::string head;
  append_status_line(head, interim.status, interim.reason);
  for (std::size_t i = 0; i < interim.headers.size(); ++i) {
    const auto field = interim.headers[i];
    if (!is_clean(field) || hop_by_hop.contains(field.name) || no_framing.write(head, field)) continue;
    append_field(head, field.name, field.value);
  }
  return head.append("\r\n");
}

std::string forwarded_head(const Request& request, std::optional<std::uint64_t> body_bytes, const NextHop& next_hop) {
  if (!is_token(request.method) || !is_target(request.target) || !is_field_value(request.origin.host)) return {};
  const HopByHop hop_by_hop(request.headers);
  FramingFields framing_fields(request.body.framing, body_bytes, request.body.bytes.size());
  std::string head;
  head.reserve(1024);
  head.append(request.method).append(" ");
  if (next_hop.absolute_form) head.append(request.origin.text());
  // The asterisk of a URL is a URL without a path (RFC 9112 §3.2.4).
  if (!next_hop.absolute_form || request.target != "*") head.append(request.target);
  head.append(" HTTP/1.1\r\n");
  const auto sent_host = request.headers.find("host");
  if (!sent_host) append_field(head, "Host", request.origin.authority());
  bool host_written = !sent_host;
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto field = request.headers[i];
    if (named(field.name, "host")) {
      if (!host_written) append_field(head, field.name, host_value(field.value, request.origin));
      host_written = true;
      continue;
    }
    if (!is_clean(field) || hop_by_hop.contains(field.name) || is_one_of(own_request_names, field.name)) continue;
    if (!framing_fields.write(head, field)) append_field(head, field.name, field.value);
  }
  framing_fields.finish(head);
  if (!next_hop.via.empty()) append_field(head, "Via", next_hop.via);
  if (!next_hop.proxy_authorization.empty()) append_field(head, "Proxy-Authorization", next_hop.proxy_authorization);
  return head.append("\r\n");
}

std::string chunk_head(std::size_t bytes) {
  std::array<char, 20> line;
  auto* end = std::to_chars(line.data(), line.data() + line.size() - 2, bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {line.data(), end};
}

std::string last_chunk(const Headers& trailers, BodyForm form) {
  std::string text = "0\r\n";
  for (std::size_t i = 0; i < trailers.size(); ++i) {
    const auto field = trailers[i];
    const bool untrue = form != BodyForm::verbatim && is_one_of(digest_names, field.name);
    if (is_clean(field) && !untrue && !is_forbidden_trailer(field.name)) append_field(text, field.name, field.value);
  }
  return text.append("\r\n");
}

}  // namespace tapedeck
