#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/head_properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapedeck;
  fuzz::check_head(fuzz::FuzzInput(data, size).rest(), scan_request_head, [](const ScannedHead& head) {
    std::string line(head.method);
    line.append(" ").append(head.target).append(" HTTP/1.").append(std::to_string(head.version_minor)).append("\r\n");
    return line;
  });
  return 0;
}
