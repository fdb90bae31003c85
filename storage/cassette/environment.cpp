#include "storage/cassette/environment.hpp"

#include <array>
#include <stdexcept>
#include <sys/random.h>
#include <thread>

namespace tapedeck {

std::int64_t system_now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// Asks for several at a time, since each call of the system costs more than the bytes.
Uuid system_random_bytes() {
  thread_local std::array<Uuid, 16> fresh;
  thread_local std::size_t left = 0;
  if (left == 0) {
    // Requests of up to 256 bytes are neither cut short nor interrupted once the pool is ready (getrandom(2)).
    if (getrandom(fresh.data(), sizeof fresh, 0) != static_cast<ssize_t>(sizeof fresh)) {
      throw std::runtime_error("the system gives no random bytes");
    }
    left = fresh.size();
  }
  return fresh[--left];
}

void system_pause(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

std::string compiled_tool_version() {
  return TAPEDECK_VERSION;
}

}  // namespace tapedeck
