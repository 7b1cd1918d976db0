// Event-time timers of evicted keys: records (time, key) appended to buckets of about four seconds.
// What exceeds a budget goes to the backend as rows of many records each, so that a timer costs an
// append and not a row of its own. A record may be stale (the key is back in the cache, has another
// timer or is gone); the owner tells.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/state_backend.h"
#include "runtime/types/event_time.h"
#include "runtime/types/result.h"

namespace watershed {

class TimerLog {
 public:
  struct Record {
    TimestampMs time_ms;
    std::string_view key;
  };

  void Add(TimestampMs time_ms, std::string_view key);
  // A lower bound of the records' times; kMaxWatermarkMs if there are none.
  TimestampMs EarliestMs() const;
  // Moves a chunk of records of the earliest bucket to `chunk`, if that has one at or before the
  // watermark; else leaves it empty. The chunk may hold later records too: give them back by Add.
  // `backend` is asked for a chunk that Spill wrote, whose batch must have been written.
  Status TakeChunk(TimestampMs watermark_ms, StateBackend* backend, StateWriteBatch& deletes,
                   std::string& chunk);
  // The next record of a chunk; false at its end.
  static bool Next(std::string_view& chunk, Record& record);

  // Moves records to rows, the farthest in time first, until buffers hold `target_bytes` at most.
  void Spill(int64_t target_bytes, StateWriteBatch& puts);
  int64_t buffered_bytes() const { return buffered_bytes_; }
  int64_t byte_size() const;

 private:
  struct SpilledChunk {
    uint64_t number;
    TimestampMs earliest_ms;
  };
  struct Bucket {
    std::string records;
    TimestampMs earliest_ms = kMaxWatermarkMs;  // of `records`
    std::vector<SpilledChunk> spilled;

    TimestampMs EarliestMs() const;
  };
  static constexpr int kBucketShift = 12;  // 4,096 ms
  static int64_t BucketOf(TimestampMs time_ms) { return time_ms >> kBucketShift; }

  std::map<int64_t, Bucket> buckets_;
  int64_t buffered_bytes_ = 0;
  int64_t spilled_chunks_ = 0;
  uint64_t next_number_ = 0;
};

}  // namespace watershed
