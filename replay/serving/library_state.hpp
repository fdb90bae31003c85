#pragma once

#include "config/options.hpp"
#include "replay/serving/cursors.hpp"
#include "replay/serving/recording_index.hpp"
#include "replay/serving/replay_session.hpp"

namespace tapedeck {

struct ReplayLibrary::State {
  SequencePolicy sequence;
  RecordingIndex index;
  Cursors cursors;
};

}  // namespace tapedeck
