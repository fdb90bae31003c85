#include "storage/exchange/origin.hpp"

namespace tapedeck {

std::string Origin::text() const {
  return scheme + "://" + authority();
}

std::string Origin::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool own_port = (scheme == "https" && port == 443) || (scheme == "http" && port == 80);
  if (!own_port) text += ":" + std::to_string(port);
  return text;
}

}  // namespace tapedeck
