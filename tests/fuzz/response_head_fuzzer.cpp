#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/head_properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapedeck;
  fuzz::check_head(fuzz::FuzzInput(data, size).rest(), scan_response_head, [](const ScannedHead& head) {
    std::string line = "HTTP/1." + std::to_string(head.version_minor) + " " + std::to_string(head.status) + " ";
    return line.append(head.reason).append("\r\n");
  });
  return 0;
}
