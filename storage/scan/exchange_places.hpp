#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/exchange/exchange.hpp"

namespace tapedeck {

// One text of an exchange in which a secret could stand. It points into the exchange, which must outlive it.
class ExchangePlace {
 public:
  static ExchangePlace of_text(std::string name, std::string& text);
  static ExchangePlace of_field(std::string name, Headers& headers, std::size_t index);
  static ExchangePlace of_body(std::string name, Body& body, const Headers& headers);

  const std::string& name() const { return name_; }
  bool is_body() const { return body_ != nullptr; }

  // The text; of a body without its content coding as far as that can be undone, which is what `decoded` then holds.
  std::string_view text(std::string& decoded, std::size_t decoded_bytes_max) const;
  // Takes over what stands in the same place of another exchange.
  void copy_from(const ExchangePlace& other) const;

 private:
  explicit ExchangePlace(std::string name) : name_(std::move(name)) {}
  std::string name_;
  std::string* text_ = nullptr;
  Headers* fields_ = nullptr;
  std::size_t index_ = 0;
  Body* body_ = nullptr;
  const Headers* body_headers_ = nullptr;
};

// All of them, in the order in which they went over the wire. Redaction keeps their number and order.
std::vector<ExchangePlace> places_of(Exchange& exchange);

}  // namespace tapedeck
