// What the beginning of a connection decides, no later byte changes; a name that comes out is a host name.

#include <algorithm>

#include "proxy/tls/client_hello.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapedeck;
  using Outcome = ClientHello::Outcome;
  fuzz::FuzzInput input(data, size);
  const std::size_t part = input.byte();
  const std::string_view bytes = input.rest();

  const ClientHello whole = parse_client_hello(bytes);
  TAPEDECK_CHECK((whole.outcome == Outcome::name) == !whole.name.empty());
  TAPEDECK_CHECK(whole.name.size() <= 253);
  TAPEDECK_CHECK(std::all_of(whole.name.begin(), whole.name.end(),
                             [](unsigned char c) { return c > 0x20 && c < 0x7f && !(c >= 'A' && c <= 'Z'); }));

  const ClientHello beginning = parse_client_hello(bytes.substr(0, bytes.size() * part / 256));
  if (beginning.outcome == Outcome::need_more) return 0;
  TAPEDECK_CHECK(beginning.outcome == whole.outcome && beginning.name == whole.name);
  return 0;
}
