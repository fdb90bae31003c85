#pragma once

#include <cstdio>
#include <cstdlib>

// A property that must hold for every input. Not `assert`: it has to hold in every build of a fuzzer.
#define TAPEDECK_CHECK(property)                                                         \
  do {                                                                                   \
    if (!(property)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
