#include "storage/scan/exchange_places.hpp"

#include "config/text.hpp"
#include "storage/redaction/content_coding.hpp"

namespace tapedeck {

namespace {

void add_fields(std::vector<ExchangePlace>& places, const std::string& what, Headers& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    places.push_back(ExchangePlace::of_field(what + " " + printable(headers[i].name), headers, i));
  }
}

void add_response(std::vector<ExchangePlace>& places, Response& response) {
  for (InterimResponse& interim : response.interim) {
    places.push_back(ExchangePlace::of_text("interim reason", interim.reason));
    add_fields(places, "interim header", interim.headers);
  }
  places.push_back(ExchangePlace::of_text("response reason", response.reason));
  add_fields(places, "response header", response.headers);
  places.push_back(ExchangePlace::of_body("response body", response.body, response.headers));
  add_fields(places, "response trailer", response.trailers);
}

}  // namespace

ExchangePlace ExchangePlace::of_text(std::string name, std::string& text) {
  ExchangePlace place(std::move(name));
  place.text_ = &text;
  return place;
}

ExchangePlace ExchangePlace::of_field(std::string name, Headers& headers, std::size_t index) {
  ExchangePlace place(std::move(name));
  place.fields_ = &headers;
  place.index_ = index;
  return place;
}

ExchangePlace ExchangePlace::of_body(std::string name, Body& body, const Headers& headers) {
  ExchangePlace place(std::move(name));
  place.body_ = &body;
  place.body_headers_ = &headers;
  return place;
}

std::string_view ExchangePlace::text(std::string& decoded, std::size_t decoded_bytes_max) const {
  if (text_ != nullptr) return *text_;
  if (fields_ != nullptr) return (*fields_)[index_].value;
  const auto encoding = body_headers_->find("content-encoding");
  if (!encoding || body_->form == BodyForm::identity) return body_->bytes;
  const auto coding = content_coding_of(*encoding);
  if (!coding || *coding == ContentCoding::identity) return body_->bytes;
  auto prefix = decode_content_prefix(*coding, body_->bytes, decoded_bytes_max);
  // What is called gzip without being so is looked through as it is.
  if (prefix.text.empty()) return body_->bytes;
  decoded = std::move(prefix.text);
  return decoded;
}

void ExchangePlace::copy_from(const ExchangePlace& other) const {
  if (text_ != nullptr) {
    *text_ = *other.text_;
  } else if (fields_ != nullptr) {
    fields_->set_value(index_, (*other.fields_)[other.index_].value);
  } else {
    *body_ = *other.body_;
  }
}

std::vector<ExchangePlace> places_of(Exchange& exchange) {
  std::vector<ExchangePlace> places;
  Request& request = exchange.request;
  places.push_back(ExchangePlace::of_text("request method", request.method));
  places.push_back(ExchangePlace::of_text("request target", request.target));
  add_fields(places, "request header", request.headers);
  places.push_back(ExchangePlace::of_body("request body", request.body, request.headers));
  add_fields(places, "request trailer", request.trailers);
  if (exchange.response) add_response(places, *exchange.response);
  if (exchange.failure) places.push_back(ExchangePlace::of_text("failure code", exchange.failure->code));
  return places;
}

}  // namespace tapedeck
