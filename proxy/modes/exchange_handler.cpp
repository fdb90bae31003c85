#include "proxy/modes/exchange_handler.hpp"

namespace tapedeck {

ServedContext IncomingRequest::served_context() const {
  ServedContext context;
  context.request_method = head.method;
  context.reverse = reverse;
  context.client_scheme = client_scheme;
  context.client_authority = head.find("Host");
  context.close = !head.keep_alive();
  context.http_1_0 = head.version_minor == 0;
  return context;
}

ServedContext RequestFacts::served_context() const {
  ServedContext context;
  context.request_method = method;
  context.reverse = reverse;
  context.client_scheme = client_scheme;
  context.client_authority = client_authority;
  context.close = close;
  context.http_1_0 = http_1_0;
  return context;
}

RequestFacts IncomingRequest::facts() const {
  RequestFacts facts;
  facts.method = head.method;
  facts.client_scheme = client_scheme;
  facts.client_authority = head.find("Host");
  facts.session = session;
  facts.origin = origin;
  facts.way_in = way_in;
  facts.reverse = reverse;
  facts.recorded = intercepted;
  facts.close = !head.keep_alive();
  facts.http_1_0 = head.version_minor == 0;
  facts.has_body = has_body();
  // An HTTP/1.0 client does not know 100 (RFC 9110 §15.2).
  facts.expects_continue = has_body() && expects_continue() && !facts.http_1_0;
  return facts;
}

Request IncomingRequest::to_request() const {
  Request request;
  request.origin = origin;
  request.method = head.method;
  request.target = target;
  request.headers.reserve(head.fields.size(), head.head_bytes - head.target.size());
  for (const auto& field : head.fields) {
    // Both are said to this proxy alone, so they are neither forwarded nor kept.
    if (equal_without_case(field.name, "Tapedeck-Session")) continue;
    if (equal_without_case(field.name, "Proxy-Authorization")) continue;
    request.headers.add(field.name, field.value);
  }
  request.body.framing = framing.framing;
  return request;
}

}  // namespace tapedeck
