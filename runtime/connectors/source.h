// Where rows enter. The engine's source task polls one Source per subtask, decodes what it returned
// (formats/), generates watermarks per split and keeps the splits' positions for checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

// A part of the input that one subtask reads alone: a Kafka partition, a file, a datagen shard.
struct SourceSplit {
  std::string id;                       // stable: "topic-3"; positions are saved under it
  std::string topic;                    // Kafka only, for messages and metrics
  int32_t partition = -1;               // Kafka only
  int64_t start_position = 0;           // first position to read
  std::optional<int64_t> end_position;  // exclusive; absent = unbounded
};

struct SplitPosition {
  std::string split_id;
  int64_t next_position = 0;  // the position after the last row handed out
};

// One undecoded record. The views stay valid until the next call of Poll or Close.
struct RawRecord {
  std::string_view value;  // data() == nullptr: a tombstone
  std::string_view key;
  int32_t split_index = 0;   // index into the open splits, in the order they were added
  int64_t position = 0;      // Kafka: the offset
  int64_t timestamp_ms = 0;  // the broker's or producer's time stamp
};

// What a poll learnt about a split besides its rows.
struct SplitProgress {
  int32_t split_index = 0;
  bool finished = false;       // bounded, and its end position has been reached
  bool caught_up = false;      // nothing to read just now, confirmed with the outside system
  std::optional<int64_t> lag;  // records between our position and the end, where known
};

struct PolledRecords {
  std::vector<RawRecord> raw;       // sources whose payload is decoded by a format
  std::optional<RecordBatch> rows;  // sources that make typed rows themselves (datagen)
  std::vector<int32_t> row_splits;  // split index per row of `rows`; empty = all split 0
  std::vector<SplitProgress> progress;
  bool finished = false;  // bounded, and every split is finished
  // A condition that may heal ("all brokers are down"): shown in the status, cleared when empty.
  std::string degraded_reason;

  // Keeps the capacity of the vectors.
  void Clear() {
    raw.clear();
    rows.reset();
    row_splits.clear();
    progress.clear();
    finished = false;
    degraded_reason.clear();
  }
};

// One instance per subtask; every call from the task's thread.
class Source {
 public:
  virtual ~Source() = default;
  virtual Status Open(std::span<const SourceSplit> splits) = 0;
  virtual Status AddSplits(std::span<const SourceSplit> splits) = 0;
  // Hands out up to `max_records`. Never blocks past the deadline; returns as soon as it has
  // records. An error is final for the task: what can heal is retried inside and told by
  // degraded_reason.
  virtual Status Poll(PolledRecords& out, int max_records, std::chrono::milliseconds deadline) = 0;
  // A paused split hands out nothing until resumed (watermark drift, idle output).
  virtual Status Pause(int32_t split_index) = 0;
  virtual Status Resume(int32_t split_index) = 0;
  virtual std::vector<SplitPosition> Positions() const = 0;
  // The checkpoint with these positions is durable (Kafka: commit group offsets, for monitoring).
  virtual void OnCheckpointComplete(std::span<const SplitPosition> positions) = 0;
  virtual void Close() = 0;
};

// Lists the splits of a source before the job starts, with start and (when bounded) end positions
// fixed once. Runs on a TaskManager, because the JobManager links no client library. May block for
// seconds; any thread.
class SplitEnumerator {
 public:
  virtual ~SplitEnumerator() = default;
  virtual Result<std::vector<SourceSplit>> Discover() = 0;
};

}  // namespace watershed
