#pragma once

#include <string>
#include <string_view>

#include "config/result.hpp"

namespace tapedeck {

// Failures that several parts of this folder name alike. `name` is the file, `what` completes the sentence.

inline Failure cassette_foreign(const std::string& name, std::string_view what) {
  return {"cassette-foreign", Blame::cassette,
          name + " is " + std::string(what) + ", not a cassette; name another file with --cassette"};
}

inline Failure cassette_corrupt(const std::string& name, std::string_view what) {
  return {"cassette-corrupt", Blame::cassette,
          name + " is damaged: " + std::string(what) + "; restore it from a backup or record it anew"};
}

inline Failure cassette_unwritable(const std::string& name, std::string_view reason) {
  return {"cassette-unwritable", Blame::us,
          name + " cannot be written: " + std::string(reason) + "; check its folder and permissions"};
}

}  // namespace tapedeck
