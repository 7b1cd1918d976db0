// What travels along an edge, in order: rows and the events that must keep their place among them.
#pragma once

#include <cstdint>
#include <variant>

#include "runtime/types/event_time.h"
#include "runtime/types/ids.h"
#include "runtime/types/record_batch.h"

namespace watershed {

// No record with event time <= time_ms will follow on this channel (late ones excepted).
struct Watermark {
  TimestampMs time_ms = kMinWatermarkMs;
};
// An idle channel takes no part in the minimum of watermarks until it is active again.
struct WatermarkStatus {
  bool idle = false;
};
// Separates the epochs of a checkpoint (Chandy–Lamport, as in Flink's aligned barriers).
struct Barrier {
  CheckpointId checkpoint_id;
  int64_t trigger_time_ms = 0;
  bool is_savepoint = false;
};
// Nothing follows. Preceded by Watermark{kMaxWatermarkMs} unless the job is stopped without drain.
struct EndOfInput {};

using StreamElement = std::variant<RecordBatch, Watermark, WatermarkStatus, Barrier, EndOfInput>;

}  // namespace watershed
