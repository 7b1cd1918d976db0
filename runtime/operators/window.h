// Event-time windows, Flink's rules: aligned to the epoch, half-open, with saturating arithmetic.
#pragma once

#include <cstdint>
#include <limits>

#include "runtime/types/event_time.h"

namespace watershed {

struct TimeWindow {
  TimestampMs start_ms = 0;
  TimestampMs end_ms = 0;  // exclusive
};

inline TimestampMs SaturatingAdd(TimestampMs a, int64_t b) {
  TimestampMs sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

// A window fires when the watermark reaches the last millisecond in it; until then it takes rows.
inline TimestampMs LastMsOf(TimestampMs end_ms) { return SaturatingAdd(end_ms, -1); }

// The tumbling window of `time_ms`; remembers the last one, since rows mostly share it.
class TumblingAssigner {
 public:
  // Precondition: size_ms > 0. Windows start at multiples of the size, shifted by the offset.
  TumblingAssigner(int64_t size_ms, int64_t offset_ms)
      : size_ms_(size_ms), offset_ms_(((offset_ms % size_ms) + size_ms) % size_ms) {}

  TimeWindow Assign(TimestampMs time_ms) {
    if (time_ms >= last_.start_ms && time_ms < last_.end_ms) return last_;
    int64_t into = time_ms % size_ms_ - offset_ms_;  // C++'s % takes the sign of time_ms
    if (into < 0) into += size_ms_;
    if (into < 0) into += size_ms_;
    last_.start_ms = SaturatingAdd(time_ms, -into);
    last_.end_ms = SaturatingAdd(last_.start_ms, size_ms_);
    return last_;
  }
  int64_t size_ms() const { return size_ms_; }

 private:
  int64_t size_ms_;
  int64_t offset_ms_;
  TimeWindow last_;
};

}  // namespace watershed
