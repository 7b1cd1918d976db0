// What a sink has prepared and its target has not confirmed yet.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/connectors/sink.h"
#include "runtime/types/ids.h"

namespace watershed {

// Without checkpoints the number is a count of the writer's own; with them it is the checkpoint's.
struct SinkEpoch {
  CheckpointId id;
  std::vector<SinkSegment> segments;
  int64_t rows = 0;
};

}  // namespace watershed
