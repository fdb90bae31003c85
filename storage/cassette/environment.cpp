#include "storage/cassette/environment.hpp"

#include <stdexcept>
#include <sys/random.h>
#include <thread>

namespace tapedeck {

std::int64_t system_now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

Uuid system_random_bytes() {
  Uuid bytes{};
  // Requests of up to 256 bytes are neither cut short nor interrupted once the pool is ready (getrandom(2)).
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("the system gives no random bytes");
  }
  return bytes;
}

void system_pause(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

std::string compiled_tool_version() {
  return TAPEDECK_VERSION;
}

}  // namespace tapedeck
