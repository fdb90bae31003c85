#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "storage/cassette/uuid.hpp"

namespace tapedeck {

std::int64_t system_now_us();  // microseconds since the Unix epoch
Uuid system_random_bytes();
void system_pause(std::chrono::milliseconds time);
std::string compiled_tool_version();

// What a writer takes from the world, so that tests can give it another one.
struct CassetteEnvironment {
  std::function<std::int64_t()> now_us = system_now_us;
  std::function<Uuid()> random_bytes = system_random_bytes;
  std::function<void(std::chrono::milliseconds)> pause = system_pause;
  std::string tool_version = compiled_tool_version();
  std::string vfs;  // SQLite's file layer by name; empty: the default one
};

}  // namespace tapedeck
